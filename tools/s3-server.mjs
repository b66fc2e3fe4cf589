/** The S3 server of the tests: versitygw, built from source once into the cache. `npm test` builds it; tests start it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheDir } from './python-env.mjs'

const version = 'v1.8.0'

/** Where the program is, once it was built. */
export function s3Server() {
  return join(cacheDir(), `versitygw-${version}`)
}

/** Builds the program where it is missing; returns why that was not possible. */
export function provideS3() {
  if (existsSync(s3Server())) return undefined
  if (spawnSync('go', ['version']).status !== 0) return 'no Go to build the S3 server with: install Go 1.25 or newer'
  // Modules and build cache go away again: they take a hundred times the room of the program.
  const scratch = mkdtempSync(join(tmpdir(), 'shardbook-go-'))
  const env = {
    ...process.env,
    GOBIN: scratch,
    GOPATH: join(scratch, 'path'),
    GOCACHE: join(scratch, 'cache'),
    GOFLAGS: '-modcacherw',
  }
  const program = `github.com/versity/versitygw/cmd/versitygw@${version}`
  try {
    const { status, stderr } = spawnSync('go', ['install', program], { env, encoding: 'utf8' })
    if (status !== 0) return `go install ${program}: ${stderr.trim().split('\n').slice(-2).join(' ')}`
    mkdirSync(cacheDir(), { recursive: true })
    const moved = spawnSync('mv', [join(scratch, 'versitygw'), `${s3Server()}.part-${process.pid}`])
    if (moved.status !== 0) return `cannot put the S3 server into ${cacheDir()}`
    renameSync(`${s3Server()}.part-${process.pid}`, s3Server())
    return undefined
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
