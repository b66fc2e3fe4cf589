/**
 * Downloads with mirrors, pinned digests and resumption.
 *
 * What has arrived stays beside the target as `<path>.download`, so that a second try goes on where the first one ended.
 * The target appears only when the whole file matches its pin.
 */
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { matchesPin, type Pin } from './checksum.js'
import { ioError } from './io-error.js'
import { makeFolder } from './make-folder.js'

export interface DownloadOptions {
  /** Tried in order until one gives a file that matches. */
  readonly mirrors: readonly string[]
  readonly pin: Pin
  readonly signal?: AbortSignal
  /** Without any byte for so long a mirror counts as dead. Default 30,000. */
  readonly stallMs?: number
  readonly onProgress?: (progress: { receivedBytes: number; totalBytes: number | undefined }) => void
}

/**
 * Downloads a file to `path`, whole and verified, or raises; does nothing when `path` already matches its pin.
 * @throws `missing` when no mirror could be reached, `data` when what they sent does not match the pin
 *
 * @example
 * ```ts
 * await download('/tmp/t.gz', { mirrors: ['https://example.org/t.gz'], pin: 'sha256:f7ae60f9…' })
 * ```
 */
export async function download(path: string, options: DownloadOptions): Promise<void> {
  if ((await sizeOf(path)) !== undefined && (await matchesPin(path, options.pin))) return
  const partial = `${path}.download`
  await makeFolder(dirname(path)).catch((cause: unknown) => {
    throw ioError('download', 'create', dirname(path), cause)
  })
  const failures: { mirror: string; cause: unknown }[] = []
  for (const mirror of options.mirrors) {
    try {
      await fetchInto(partial, mirror, options)
      if (!(await matchesPin(partial, options.pin))) {
        await rm(partial, { force: true })
        throw new ShardbookError('data', `download: ${mirror} sent a file that does not match ${options.pin}.`)
      }
      await rename(partial, path)
      return
    } catch (cause) {
      if (options.signal?.aborted) throw new ShardbookError('interrupted', `download: ${path} was stopped.`, { cause })
      if (isLocal(cause)) throw ioError('download', 'write', path, cause)
      failures.push({ mirror, cause })
    }
  }
  const wrong = failures.find(({ cause }) => cause instanceof ShardbookError && cause.code === 'data')
  throw new ShardbookError(
    wrong === undefined ? 'missing' : 'data',
    `download: expected to get ${path.split('/').at(-1)} from ${options.mirrors.length} mirror(s), got ${failures
      .map(({ mirror, cause }) => `${new URL(mirror).host}: ${reasonOf(cause)}`)
      .join('; ')}.`,
    { hint: `Is there a network? Without one, put the file at ${path} yourself.`, cause: failures[0]?.cause },
  )
}

async function fetchInto(partial: string, mirror: string, options: DownloadOptions): Promise<void> {
  const held = (await sizeOf(partial)) ?? 0
  const stalled = new AbortController()
  const stallMs = options.stallMs ?? 30_000
  let timer = setTimeout(() => stalled.abort(), stallMs)
  const signals = options.signal === undefined ? [stalled.signal] : [stalled.signal, options.signal]
  try {
    const response = await fetch(mirror, {
      signal: AbortSignal.any(signals),
      // An encoded body would make the range and the pin meaningless.
      headers: { 'accept-encoding': 'identity', ...(held > 0 ? { range: `bytes=${held}-` } : {}) },
    })
    if (response.status === 416) {
      // What lies here already reaches the end: the pin decides whether it is the file.
      await response.body?.cancel()
      return
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      throw new Error(`HTTP ${response.status} ${response.statusText}`.trim())
    }
    const resumed = response.status === 206
    const length = Number(response.headers.get('content-length') ?? Number.NaN)
    let receivedBytes = resumed ? held : 0
    const totalBytes = Number.isFinite(length) ? receivedBytes + length : undefined
    const file = await open(partial, resumed ? 'a' : 'w')
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        clearTimeout(timer)
        timer = setTimeout(() => stalled.abort(), stallMs)
        await file.writeFile(chunk)
        receivedBytes += chunk.length
        options.onProgress?.({ receivedBytes, totalBytes })
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (stalled.signal.aborted) throw new Error(`no answer for ${Math.round(stallMs / 1000)} s`, { cause })
    throw cause
  } finally {
    clearTimeout(timer)
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (entry) => entry.size,
    () => undefined,
  )
}

/** Errors of this machine's disk, which another mirror cannot mend. */
function isLocal(cause: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EISDIR'].includes(String((cause as { code?: unknown }).code))
}

function reasonOf(cause: unknown): string {
  const below = cause instanceof Error ? (cause.cause as { code?: unknown; message?: unknown } | undefined) : undefined
  if (cause instanceof ShardbookError && cause.code === 'data') return 'checksum does not match'
  return String(below?.code ?? below?.message ?? (cause instanceof Error ? cause.message : cause))
}
