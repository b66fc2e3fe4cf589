/** A whole program: parameters, the lines that a builder wrote, results. */
import { Builder, type Element, type Value, typeOf } from './lower/builder.js'

export interface Parameter {
  readonly shape: readonly number[]
  readonly element: Element
  /** The result that may take this parameter's memory: the caller gives it away. */
  readonly donatedTo?: number
}

export interface Module {
  readonly text: string
  readonly parameters: readonly Parameter[]
  readonly results: readonly Pick<Value, 'shape' | 'element'>[]
  readonly replicas: number
}

export function buildModule(
  parameters: readonly Parameter[],
  build: (b: Builder, inputs: readonly Value[]) => readonly Value[],
  replicas = 1,
): Module {
  const b = new Builder()
  const inputs = parameters.map(({ shape, element }, i): Value => ({ name: `%arg${i}`, shape, element }))
  const results = build(b, inputs)
  const declared = inputs.map((value, i) => {
    const { donatedTo } = parameters[i]!
    const alias = donatedTo === undefined ? '' : ` {tf.aliasing_output = ${donatedTo} : i32}`
    return `${value.name}: ${typeOf(value)}${alias}`
  })
  const types = results.map(typeOf).join(', ')
  const returned = results.length === 0 ? 'return' : `return ${results.map(({ name }) => name).join(', ')} : ${types}`
  const text = `module @step attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = ${replicas} : i32} {
func.func public @main(${declared.join(', ')}) -> (${types}) {
${b.text}
${returned}
}
}
`
  return { text, parameters, results: results.map(({ shape, element }) => ({ shape, element })), replicas }
}
