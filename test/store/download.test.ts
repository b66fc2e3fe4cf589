import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { download, type Pin } from '../../src/store/index.js'

const body = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 251))
const pin: Pin = `sha256:${createHash('sha256').update(body).digest('hex')}`

let folder: string
let server: Server
let base: string
let requests: string[]
let hangUp = (): void => {}
const onProgress = (): void => hangUp()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'))
  requests = []
  hangUp = () => {}
  server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.range ?? ''}`.trim())
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (request.url === '/gone') {
      response.writeHead(404).end()
    } else if (request.url === '/wrong') {
      response.writeHead(200).end('something else')
    } else if (request.url === '/cut') {
      // Promises everything, sends a part, hangs up when some of it has arrived.
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 20_000))
      hangUp = () => response.destroy()
    } else if (request.url === '/silent') {
      response.writeHead(200)
      response.write(body.subarray(0, 10))
    } else {
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length - from }).end(body.subarray(from))
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => void server.close(resolve))
  await rm(folder, { recursive: true })
})

describe('download', () => {
  test('puts a verified file in place, and does nothing the second time', async () => {
    const path = join(folder, 'deep/file')
    const progress: number[] = []
    await download(path, {
      mirrors: [`${base}/file`],
      pin,
      onProgress: ({ receivedBytes }) => progress.push(receivedBytes),
    })
    expect((await readFile(path)).equals(body)).toBe(true)
    expect(progress.at(-1)).toBe(body.length)
    await download(path, { mirrors: [`${base}/file`], pin })
    expect(requests).toEqual(['/file'])
    expect(await readdir(join(folder, 'deep'))).toEqual(['file'])
  })

  test('goes on where a broken connection left off, at the next mirror', async () => {
    const path = join(folder, 'file')
    await download(path, { mirrors: [`${base}/gone`, `${base}/cut`, `${base}/file`], pin, onProgress })
    expect((await readFile(path)).equals(body)).toBe(true)
    expect(requests.slice(0, 2)).toEqual(['/gone', '/cut'])
    expect(requests[2]).toMatch(/^\/file bytes=[1-9]\d*-$/)
  })

  test('resumes what an earlier try left', async () => {
    const path = join(folder, 'file')
    await expect(download(path, { mirrors: [`${base}/cut`], pin, onProgress })).rejects.toThrow(/from 1 mirror/)
    await download(path, { mirrors: [`${base}/file`], pin })
    expect(requests.at(-1)).toMatch(/^\/file bytes=[1-9]\d*-$/)
    expect((await readFile(path)).equals(body)).toBe(true)
  })

  test('takes a left-over that is whole already', async () => {
    const path = join(folder, 'file')
    await writeFile(`${path}.download`, body)
    await download(path, { mirrors: [`${base}/file`], pin })
    expect((await readFile(path)).equals(body)).toBe(true)
  })

  test('refuses a file that does not match its pin, and keeps nothing of it', async () => {
    const path = join(folder, 'file')
    await expect(download(path, { mirrors: [`${base}/wrong`], pin })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('checksum does not match') as string,
    })
    expect(await readdir(folder)).toEqual([])
  })

  test('says so when there is no network', async () => {
    const path = join(folder, 'file')
    await new Promise((resolve) => void server.close(resolve))
    await expect(
      download(path, { mirrors: [`${base}/file`, 'http://nowhere.invalid/file'], pin }),
    ).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringMatching(
        /from 2 mirror\(s\), got 127\.0\.0\.1:\d+: ECONNREFUSED; nowhere\.invalid: \w+.*Is there a network\?/s,
      ) as string,
    })
  })

  test('gives up a mirror that falls silent', async () => {
    const path = join(folder, 'file')
    await download(path, { mirrors: [`${base}/silent`, `${base}/file`], pin, stallMs: 200 })
    expect((await readFile(path)).equals(body)).toBe(true)
  })
})
