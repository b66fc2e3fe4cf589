/** A real S3 server (versitygw over a folder) for the tests of one file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3Server } from '../../tools/s3-server.mjs'

export interface S3Server {
  readonly bucket: string
  /** What the AWS tools would read from the environment to reach it. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 's3-'))
  const bucket = 'things'
  await mkdir(join(folder, bucket))
  const port = await freePort()
  const key = { ROOT_ACCESS_KEY: 'tester', ROOT_SECRET_KEY: 'a secret/with+signs=' }
  const child = spawn(s3Server(), ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder], {
    env: { ...process.env, ...key },
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  const endpoint = `http://127.0.0.1:${port}`
  for (;;) {
    const up = await fetch(endpoint).then(
      () => true,
      () => false,
    )
    if (up) break
    if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}.`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    bucket,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: key.ROOT_ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: key.ROOT_SECRET_KEY,
      AWS_REGION: 'us-east-1',
    },
    async close() {
      child.kill()
      await exited
      await rm(folder, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
