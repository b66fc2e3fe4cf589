/**
 * Text files as the engine reads them: on this machine, in UTF-8. Files of other encodings are decoded into temporary ones.
 *
 * UTF-16 is recognised, with a byte order mark or by the zeros of its Latin letters; one-byte encodings look alike, so they
 * are given by the user.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { ioError } from '../../store/index.js'
import { copyOf, copyPath } from './local-copy.js'

/** How much of a file is looked at. */
const lookBytes = 2 ** 20

/** The beginning of a text file, decoded. */
export interface Beginning {
  readonly text: string
  /** To be given to `utf8File`; absent for UTF-8. */
  readonly encoding?: string
}

/** Looks at a file. @throws `argument` for an unknown encoding, `data` for text that is not in it */
export async function beginningOf(caller: string, file: string, given?: string): Promise<Beginning> {
  const path = await copyOf(caller, file)
  const bytes = await firstBytes(caller, path)
  const encoding = given === undefined ? guess(bytes) : canonical(caller, given)
  const whole = bytes.length < lookBytes
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !whole })
    return encoding === 'utf-8' ? { text } : { text, encoding }
  } catch (cause) {
    const line = firstBadLine(bytes, encoding)
    throw new ShardbookError(
      'data',
      `${caller}: expected ${encoding.toUpperCase()} text in ${file}, got other bytes in line ${line}.`,
      {
        hint: `Give its encoding, such as encoding: 'latin1'.`,
        cause,
      },
    )
  }
}

/** The path of the file's text in UTF-8 on this machine. */
export async function utf8File(caller: string, file: string, encoding: string | undefined): Promise<string> {
  if (encoding === undefined) return copyOf(caller, file)
  return copyOf(caller, file, {
    how: encoding,
    make: async (path) => {
      const to = copyPath(file.replace(/\.gz$/, ''))
      const gzipped = await isGzip(caller, path)
      const [from, into] = [createReadStream(path), createWriteStream(to)]
      const decoder = new TextDecoder(encoding)
      const decode = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
        for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true })
        yield decoder.decode()
      }
      await (gzipped ? pipeline(from, createGunzip(), decode, into) : pipeline(from, decode, into)).catch(
        (cause: unknown) => {
          throw ioError(caller, 'decode', file, cause)
        },
      )
      return to
    },
  })
}

function canonical(caller: string, label: string): string {
  try {
    return new TextDecoder(label).encoding
  } catch (cause) {
    throw new ShardbookError('argument', `${caller}: expected a known encoding, got ${show(label)}.`, {
      hint: `Such as 'utf-8', 'utf-16le', 'latin1' or 'shift_jis'.`,
      cause,
    })
  }
}

function guess(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const zeros = [0, 0]
  const looked = Math.min(bytes.length, 4096)
  for (let i = 0; i < looked; i++) if (bytes[i] === 0) zeros[i & 1]!++
  const many = looked * 0.2
  if (zeros[1]! > many && zeros[0]! < many / 4) return 'utf-16le'
  return zeros[0]! > many && zeros[1]! < many / 4 ? 'utf-16be' : 'utf-8'
}

function firstBadLine(bytes: Uint8Array, encoding: string): number {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let line = 1
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(10, from)
    const to = end < 0 ? bytes.length : end + 1
    try {
      decoder.decode(bytes.subarray(from, to))
    } catch {
      return line
    }
    from = to
  }
  return line
}

async function isGzip(caller: string, path: string): Promise<boolean> {
  const [first, second] = await readSome(caller, path, createReadStream(path, { end: 1 }), 2)
  return first === 0x1f && second === 0x8b
}

async function firstBytes(caller: string, path: string): Promise<Uint8Array> {
  const raw = createReadStream(path)
  return readSome(caller, path, (await isGzip(caller, path)) ? raw.pipe(createGunzip()) : raw, lookBytes)
}

async function readSome(
  caller: string,
  path: string,
  stream: AsyncIterable<unknown>,
  sizeBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let held = 0
  try {
    for await (const part of stream) {
      parts.push(part as Uint8Array)
      held += (part as Uint8Array).length
      if (held >= sizeBytes) break
    }
  } catch (cause) {
    throw ioError(caller, 'read', path, cause)
  }
  return new Uint8Array(Buffer.concat(parts)).subarray(0, sizeBytes)
}
