import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { shardbook } from './shardbook.js'

describe('shardbook', () => {
  test('tells its commands and its version', async () => {
    const help = await shardbook(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    for (const name of ['install', 'uninstall', 'lab', 'run', 'engine', 'doctor'])
      expect(help.stdout).toContain(`  ${name} `)
    expect(await shardbook(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
    expect(await shardbook([])).toMatchObject({ code: 2 })
  })

  test.each(['install', 'uninstall', 'lab', 'run', 'engine', 'doctor'])(
    '%s --help tells how it is used',
    async (name) => {
      const { code, stdout } = await shardbook([name, '--help'])
      expect(code).toBe(0)
      expect(stdout).toMatch(new RegExp(`^Usage: shardbook ${name}`))
    },
  )

  test('names the nearest command or option, with exit code 2', async () => {
    expect(await shardbook(['docter'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'shardbook: expected one of install, uninstall, lab, run, engine, doctor, got docter. Did you mean shardbook doctor?\n',
    })
    expect(await shardbook(['constructor'])).toMatchObject({ code: 2 })
    expect(await shardbook(['run', 'x.ipynb', '--htlm', 'x'])).toMatchObject({
      code: 2,
      stderr: 'shardbook run: unknown option --htlm. Did you mean --html?\n',
    })
    expect(await shardbook(['run'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected one NOTEBOOK'),
    })
    expect(await shardbook(['install', '--user', '--prefix', 'x'])).toMatchObject({ code: 2 })
  })
})
