/** Attributes of TensorFlow operations as tfjs-node's kernels give them, set on an eager operation or on a graph node. */
import { ShardbookError } from '../../core/errors.js'
import type { TensorFlow } from './c-api.js'

/** `TF_AttrType` */
export const attributeTypes = {
  TF_ATTR_STRING: 0,
  TF_ATTR_INT: 1,
  TF_ATTR_FLOAT: 2,
  TF_ATTR_BOOL: 3,
  TF_ATTR_TYPE: 4,
  TF_ATTR_SHAPE: 5,
  TF_ATTR_RESOURCE: 7,
  /** Of a graph's node only: the name of a function. */
  TF_ATTR_FUNC: 8,
} as const

export interface OpAttribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

export function setAttributes(
  { api, status, check }: TensorFlow,
  kind: 'eager' | 'node',
  operation: number,
  attributes: readonly OpAttribute[],
): void {
  const eager = kind === 'eager'
  const setProto = (node: number, name: string, bytes: Uint8Array): void => {
    api.TF_SetAttrValueProto(node, name, bytes, bytes.length, status)
    check(name)
  }
  for (const { name, type, value } of attributes) {
    switch (type) {
      case attributeTypes.TF_ATTR_TYPE:
        ;(eager ? api.TFE_OpSetAttrType : api.TF_SetAttrType)(operation, name, value as number)
        break
      case attributeTypes.TF_ATTR_BOOL:
        ;(eager ? api.TFE_OpSetAttrBool : api.TF_SetAttrBool)(operation, name, value === true ? 1 : 0)
        break
      case attributeTypes.TF_ATTR_INT:
        if (Array.isArray(value)) {
          const values = int64s(value as number[])
          ;(eager ? api.TFE_OpSetAttrIntList : api.TF_SetAttrIntList)(operation, name, values, values.length)
        } else (eager ? api.TFE_OpSetAttrInt : api.TF_SetAttrInt)(operation, name, value as number)
        break
      case attributeTypes.TF_ATTR_FLOAT:
        if (Array.isArray(value)) {
          const values = Float32Array.from(value as number[])
          ;(eager ? api.TFE_OpSetAttrFloatList : api.TF_SetAttrFloatList)(operation, name, values, values.length)
        } else (eager ? api.TFE_OpSetAttrFloat : api.TF_SetAttrFloat)(operation, name, value as number)
        break
      case attributeTypes.TF_ATTR_STRING: {
        const bytes = new TextEncoder().encode(value as string)
        ;(eager ? api.TFE_OpSetAttrString : api.TF_SetAttrString)(operation, name, bytes, bytes.length)
        break
      }
      case attributeTypes.TF_ATTR_FUNC:
        // AttrValue { func: NameAttrList { name } }
        setProto(operation, name, field(10, field(1, new TextEncoder().encode(value as string))))
        break
      case attributeTypes.TF_ATTR_SHAPE: {
        if (Array.isArray((value as unknown[])[0])) {
          // AttrValue { list: ListValue { shape: TensorShapeProto[] } }
          setProto(operation, name, field(1, ...(value as number[][]).map((shape) => field(7, shapeProto(shape)))))
          break
        }
        const dims = int64s(value as number[])
        if (eager) api.TFE_OpSetAttrShape(operation, name, dims, dims.length, status)
        else api.TF_SetAttrShape(operation, name, dims, dims.length)
        if (eager) check(name)
        break
      }
      default:
        throw new ShardbookError('engine', `setAttributes: expected a known attribute type for ${name}, got ${type}.`)
    }
  }
}

export function int64s(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt)
}

/** A field of a protocol buffer whose value has a length: text, bytes, messages. */
export function field(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length: bytes }) => sum + bytes, 0)
  return Uint8Array.from([...varint((number << 3) | 2), ...varint(length), ...contents.flatMap((bytes) => [...bytes])])
}

/** TensorShapeProto { dim: Dim { size }[] } */
function shapeProto(shape: readonly number[]): Uint8Array {
  return Uint8Array.from(shape.flatMap((size) => [...field(2, Uint8Array.from([8, ...varint(size)]))]))
}

/** An unsigned number as protocol buffers write it. */
export function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]
}
