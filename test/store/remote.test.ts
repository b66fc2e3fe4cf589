import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { storeOf } from '../../src/store/index.js'
import { missing } from '../needs.js'
import { startFiles, type FileServer } from './file-server.js'
import { startS3, type S3Server } from './s3-server.js'

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)

describe('the store over HTTP', () => {
  let server: FileServer
  beforeEach(async () => {
    server = await startFiles()
    server.files.set('/a', bytes)
  })
  afterEach(async () => server.close())
  const get = (range?: { offset: number; length: number }, version?: string) =>
    storeOf(server.base).get(`${server.base}/a`, range, version)

  test('reads whole and by range, with and without a server that knows ranges, and through redirects', async () => {
    server.intercept = (request, response) => {
      if (request.url !== '/moved') return false
      response.writeHead(302, { location: '/a' }).end()
      return true
    }
    for (const ranges of [true, false]) {
      server.ranges = ranges
      expect(await get()).toEqual(bytes)
      expect(await get({ offset: 10, length: 5 })).toEqual(bytes.subarray(10, 15))
      expect(await get({ offset: 998, length: 9 })).toEqual(bytes.subarray(998))
      expect(await get({ offset: 2000, length: 9 })).toEqual(new Uint8Array(0))
      expect((await storeOf(server.base).stat(`${server.base}/a`))?.sizeBytes).toBe(1000)
      expect(await storeOf(server.base).get(`${server.base}/moved`, { offset: 1, length: 2 })).toEqual(
        Uint8Array.of(1, 2),
      )
    }
  })

  test('tries again after a dropped connection and after overload, and gives up saying why', async () => {
    let failures = 2
    server.intercept = (request, response) => {
      if (failures-- <= 0) return false
      if (failures === 0) response.writeHead(503).end()
      else {
        response.writeHead(200, { 'content-length': 1000 })
        response.write(bytes.subarray(0, 10), () => request.destroy())
      }
      return true
    }
    expect(await get()).toEqual(bytes)
    expect(server.requests.length).toBe(3)
    await server.close()
    await expect(get()).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/get: cannot reach http:\/\/127\.0\.0\.1:\d+\/a: .*ECONNREFUSED/) as string,
    })
    server = await startFiles()
  })

  test('refuses to mix two versions of an object', async () => {
    const { version } = (await storeOf(server.base).stat(`${server.base}/a`))!
    expect(await get({ offset: 0, length: 1 }, version)).toEqual(Uint8Array.of(0))
    server.files.set('/a', bytes.toReversed())
    await expect(get({ offset: 1, length: 1 }, version)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/\/a not to change while it is read, got another version/) as string,
    })
  })

  test('says what is missing and what is refused, without passwords', async () => {
    const store = storeOf(server.base)
    expect(await store.stat(`${server.base}/none`)).toBeUndefined()
    await expect(store.get(`${server.base}/none?token=secret`)).rejects.toThrow(
      /none \(HTTP 404\)\. There is no such object/,
    )
    server.intercept = (_, response) => {
      response.writeHead(403).end()
      return true
    }
    await expect(store.get(`${server.base}/a?token=secret`)).rejects.toThrow(/^(?!.*secret).*refused \(HTTP 403\)/)
    await expect(store.list(`${server.base}/`)).rejects.toThrow(/HTTP has no folders/)
  })

  test('puts and reads back', async () => {
    await storeOf(server.base).put(`${server.base}/new`, Uint8Array.of(1, 2))
    expect(await storeOf(server.base).get(`${server.base}/new`)).toEqual(Uint8Array.of(1, 2))
  })
})

describe.skipIf(missing('s3') !== undefined)('the store over S3', () => {
  let server: S3Server
  let at: (key: string) => string
  beforeAll(async () => {
    server = await startS3()
    at = (key) => `s3://${server.bucket}/${key}`
  })
  afterAll(async () => server?.close())
  beforeEach(() => {
    for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value)
  })
  afterEach(() => void vi.unstubAllEnvs())
  const store = storeOf('s3://')

  test('puts, reads whole and by range, lists, deletes, whatever the key looks like', async () => {
    const keys = ["d/a b+c (1)!'*.bin", 'd/ü&x=1;?#%41.bin', 'd/e/plain']
    for (const key of keys) {
      await store.put(at(key), bytes)
      expect(await store.get(at(key))).toEqual(bytes)
      expect(await store.get(at(key), { offset: 990, length: 20 })).toEqual(bytes.subarray(990))
    }
    expect(await store.list(at('d/'))).toEqual(keys.map(at).sort())
    expect(await store.list(at('d/e'))).toEqual([at('d/e/plain')])
    for (const key of keys) await store.delete(at(key))
    expect(await store.list(at('d/'))).toEqual([])
    expect(await store.stat(at('d/e/plain'))).toBeUndefined()
  })

  test('uploads streams in parts, and leaves nothing of one that breaks', async () => {
    const chunk = Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 7) % 256)
    const chunks = async function* (fail: boolean): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 12; i++) yield chunk
      if (fail) throw new Error('the source broke')
    }
    await store.put(at('big'), chunks(false))
    expect((await store.stat(at('big')))?.sizeBytes).toBe(12 * chunk.length)
    expect(await store.get(at('big'), { offset: 11 * chunk.length, length: 5 })).toEqual(chunk.subarray(0, 5))
    await expect(store.put(at('broken'), chunks(true))).rejects.toThrow('the source broke')
    expect(await store.stat(at('broken'))).toBeUndefined()
  })

  test('takes credentials from the shared file of the AWS tools', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aws-'))
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_ENDPOINT_URL: endpoint } = server.environment
    await writeFile(
      join(folder, 'credentials'),
      `[other]\naws_access_key_id = x\n\n[mine]\naws_access_key_id=${id}\naws_secret_access_key = ${secret}\n`,
    )
    await writeFile(
      join(folder, 'config'),
      `# settings\n[profile mine]\nregion = us-east-1\nendpoint_url = ${endpoint}\n`,
    )
    for (const name of Object.keys(server.environment)) vi.stubEnv(name, '')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
    vi.stubEnv('AWS_PROFILE', 'mine')
    await storeOf('s3://').put(at('shared'), bytes)
    expect(await storeOf('s3://').get(at('shared'))).toEqual(bytes)
    await rm(folder, { recursive: true })
  })

  test('says what is wrong with key, secret and name', async () => {
    await expect(store.get(at('gone'))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/s3:\/\/things\/gone .*NoSuchKey.*no such object/) as string,
    })
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
    await expect(storeOf('s3://').get(at('x'))).rejects.toThrow(
      /refused \(HTTP 403 SignatureDoesNotMatch\).*AWS_SECRET_ACCESS_KEY/,
    )
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere')
    await expect(storeOf('s3://').get(at('x'))).rejects.toThrow(/refused \(HTTP 403.*AWS_PROFILE/)
    await expect(store.get('s3://')).rejects.toThrow(/expected a path s3:\/\/bucket\/key/)
  })
})
