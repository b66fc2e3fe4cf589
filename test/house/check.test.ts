import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkReviewedPackages } from '../../tools/advisories.mjs'
import { checkFileLength, checkLockfile, checkPins, checkWords } from '../../tools/house-rules.mjs'
import { checkLayers } from '../../tools/layers.mjs'
import { checkDeadCode, checkFormat, checkLint, checkPackage, checkTypes } from '../../tools/programs.mjs'
import { plantTree } from './tree.js'
import { violations } from './violations.js'

const checks: Readonly<Record<string, (root: string) => Promise<string[]>>> = {
  format: checkFormat,
  lint: checkLint,
  types: checkTypes,
  layers: checkLayers,
  'dead code': checkDeadCode,
  pins: checkPins,
  lockfile: checkLockfile,
  'reviewed packages': checkReviewedPackages,
  'file length': checkFileLength,
  words: checkWords,
  package: checkPackage,
}

describe('a check', () => {
  it.each(Object.entries(checks))('finds nothing in a tree without a violation: %s', async (_, check) => {
    expect(await check(plantTree())).toEqual([])
  })

  it.each(violations)('finds a planted violation: $check, $plant', async ({ check, files, at, says }) => {
    const findings = await checks[check]!(plantTree(files))
    const text = findings.join('\n')
    expect(findings.filter((finding) => finding.startsWith(at)).join('\n') || text).toMatch(says)
    expect(text).toContain(at)
  })
})

describe('npm run check', () => {
  const run = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const program = fileURLToPath(new URL('../../tools/check.mjs', import.meta.url))
      execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      )
    })

  it('runs every check though one fails, with a line each, and exits 1', async () => {
    const { code, stdout } = await run('--root', plantTree({ 'src/core/ugly.ts': 'export const  x = 1\n' }))
    expect(code).toBe(1)
    const lines = stdout.split('\n').filter((line) => /^(?:ok  |FAIL) /.test(line))
    expect(lines).toHaveLength(Object.keys(checks).length + 1) // and the build
    expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([
      expect.stringMatching(/^FAIL format \(\d+\.\d s\)$/),
      expect.stringMatching(/^FAIL dead code /),
    ])
    expect(stdout).toContain('     src/core/ugly.ts:1: is not formatted')
    expect(stdout).toContain('2 of the checks failed.')
  })

  it('exits 0 on a clean tree', async () => {
    const { code, stdout } = await run('--root', plantTree())
    expect(stdout).not.toContain('FAIL')
    expect(code).toBe(0)
  })

  it('rejects the name of a check that is not there', async () => {
    const { code, stderr } = await run('--only', 'spelling')
    expect(code).toBe(2)
    expect(stderr).toContain('expected --only to be one of format, lint,')
  })
})
