import { describe, expect, test } from 'vitest'
import { wheelOf, wheelsOf } from '../../../src/engine/install/catalog.js'

describe('the catalog of engines', () => {
  test.each([
    ['linux-x64', /x86_64$/, 'tensorflow/libtensorflow_cc.so.2'],
    ['linux-arm64', /aarch64$/, 'tensorflow/libtensorflow_cc.so.2'],
    ['darwin-arm64', /^macosx_.*arm64$/, 'tensorflow/libtensorflow_cc.2.dylib'],
  ])('has one wheel for %s, its library first', (platform, pipPlatform, library) => {
    const [wheel, ...others] = wheelsOf('native', { platform })
    expect(others).toEqual([])
    expect(wheel!.platform).toMatch(pipPlatform)
    expect(wheel!.libraries[0]).toBe(library)
    expect(wheel!.version).toBe(wheelOf('native', { platform: 'linux-x64' }).version)
  })

  test('names the platforms that it has when asked for another', () => {
    expect(() => wheelOf('native', { platform: 'win32-x64' })).toThrow(
      /linux-x64, linux-arm64, darwin-arm64.*win32-x64.*wasm engine/,
    )
  })

  test('for GPUs adds the CUDA 12 libraries, on Linux x64 only', () => {
    const [main, ...cuda] = wheelsOf('native', { platform: 'linux-x64', gpu: true })
    expect(main).toEqual(wheelOf('native', { platform: 'linux-x64' }))
    const names = cuda.map((wheel) => wheel.package)
    expect(names.every((name) => /^nvidia-.*-cu12$/.test(name))).toBe(true)
    for (const library of [
      'libcudart.so.12',
      'libcublas.so.12',
      'libcudnn.so.9',
      'libcufft.so.11',
      'libcusolver.so.11',
    ])
      expect(cuda.some((wheel) => wheel.libraries.some((path) => path.endsWith(`/${library}`)))).toBe(true)
    // What a library needs is loaded before it.
    expect(names.indexOf('nvidia-cuda-runtime-cu12')).toBeLessThan(names.indexOf('nvidia-cublas-cu12'))
    expect(names.indexOf('nvidia-cublas-cu12')).toBeLessThan(names.indexOf('nvidia-cusolver-cu12'))
    expect(() => wheelsOf('native', { platform: 'darwin-arm64', gpu: true })).toThrow(/linux-x64.*Leave --gpu out/)
  })

  test('pins every wheel by version and checksum', () => {
    const wheels = ['linux-x64', 'linux-arm64', 'darwin-arm64'].flatMap((platform) =>
      wheelsOf('native', { platform, gpu: platform === 'linux-x64' }),
    )
    for (const wheel of wheels) {
      expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(wheel.version).toMatch(/^\d+(\.\d+)+$/)
      expect(wheel.librariesBytes).toBeGreaterThan(0)
    }
    expect(new Set(wheels.map(({ sha256 }) => sha256)).size).toBe(wheels.length)
  })
})
