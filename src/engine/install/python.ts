/** Python and pip, as far as an install needs them: pip downloads a wheel, `zipfile` takes files out of it. */
import { spawn } from 'node:child_process'
import { ShardbookError } from '../../core/errors.js'
import type { Wheel } from './catalog.js'

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Finds a Python 3 that has pip. */
export async function findPython(): Promise<string> {
  let without: string | undefined
  for (const python of ['python3', 'python']) {
    const version = await run(python, ['-c', 'import sys; print(sys.version_info[0])'])
    if (version?.stdout.trim() !== '3') continue
    const pip = await run(python, ['-m', 'pip', '--version'])
    if (pip?.code === 0) return python
    without = python
  }
  const hint =
    without === undefined
      ? 'Install Python 3 with pip; or use the wasm engine, which needs neither.'
      : `Install pip (apt install python3-pip, or ${without} -m ensurepip); or use the wasm engine, which needs neither.`
  const got = without === undefined ? 'no python3 on the PATH' : `${without} without pip`
  throw new ShardbookError('missing', `installEngine: expected Python 3 with pip, got ${got}.`, { hint })
}

/** Downloads a wheel into `folder`, which is pip's scratch space too. pip's own configuration and environment apply. */
export async function downloadWheel(python: string, wheel: Wheel, folder: string): Promise<void> {
  const requirement = `${wheel.package}==${wheel.version}`
  const target = ['--platform', wheel.platform, '--python-version', wheel.pythonVersion]
  const options = ['--no-deps', '--only-binary=:all:', '--no-input', '--disable-pip-version-check']
  const environment = {
    PIP_RETRIES: '2', // of five; each waits longer than the one before
    ...process.env,
    PIP_REQUIRE_VIRTUALENV: '0', // nothing is installed into any Python
    TMPDIR: folder,
  }
  const result = await run(
    python,
    ['-m', 'pip', 'download', ...options, ...target, '--dest', folder, requirement],
    environment,
  )
  if (result?.code === 0) return
  throw downloadError(wheel, `${result?.stdout ?? ''}\n${result?.stderr ?? ''}`)
}

/** Takes files out of a wheel into `folder`, with their paths below its root or their names alone; their sizes and checksums. */
export async function extract(
  python: string,
  wheel: string,
  { libraries: members, root }: Pick<Wheel, 'libraries' | 'root'>,
  folder: string,
): Promise<{ name: string; sizeBytes: number; sha256: string }[]> {
  const script = `
import hashlib, json, os, sys, zipfile
wheel, folder, root, members = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
files = []
with zipfile.ZipFile(wheel) as archive:
    for member in members:
        name = member[len(root):] if root and member.startswith(root) else os.path.basename(member)
        digest, size, path = hashlib.sha256(), 0, os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as source, open(path, 'wb') as target:
            while chunk := source.read(1 << 22):
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            target.flush()
            os.fsync(target.fileno())
        os.chmod(path, (archive.getinfo(member).external_attr >> 16) & 0o777 or 0o644)
        files.append({'name': name, 'sizeBytes': size, 'sha256': digest.hexdigest()})
print(json.dumps(files))
`
  const result = await run(python, ['-c', script, wheel, folder, root ?? '', ...members])
  if (result?.code === 0) return JSON.parse(result.stdout) as { name: string; sizeBytes: number; sha256: string }[]
  const reason = lastLine(result?.stderr ?? '')
  if (/No space left|ENOSPC/.test(reason)) throw fullDisk(folder, reason)
  throw new ShardbookError('data', `installEngine: expected ${members.join(', ')} in the wheel, got: ${reason}.`)
}

export function fullDisk(folder: string, reason: string): ShardbookError {
  return new ShardbookError('io', `installEngine: expected room under ${folder}, got: ${reason}.`, {
    hint: 'Free some space, or name a folder on another disk in SHARDBOOK_CACHE.',
  })
}

function downloadError(wheel: Wheel, output: string): ShardbookError {
  const name = `${wheel.package} ${wheel.version}`
  if (/No space left|ENOSPC/.test(output)) return fullDisk('the cache', 'a full disk')
  const offline =
    /Max retries|NewConnectionError|name resolution|unreachable|timed out|ProxyError|ConnectionError/.exec(output)
  if (offline !== null) {
    return new ShardbookError('io', `installEngine: expected pip to reach its index for ${name}, got: ${offline[0]}.`, {
      hint: 'Check the network, or point pip at a folder that holds the wheel (PIP_FIND_LINKS).',
    })
  }
  return new ShardbookError('io', `installEngine: expected pip to download ${name}, got: ${lastLine(output)}.`)
}

function lastLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const errors = lines.filter((line) => /error/i.test(line))
  return (errors.at(-1) ?? lines.at(-1) ?? 'no message').trim().replace(/\.$/, '')
}

/** Runs a program to its end; undefined when there is no such program. The child does not outlive this process. */
function run(
  program: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Finished | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const kill = (): void => void child.kill()
    process.once('exit', kill)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', () => {
      process.off('exit', kill)
      resolve(undefined)
    })
    child.once('close', (code) => {
      process.off('exit', kill)
      resolve({ code, stdout, stderr })
    })
  })
}
