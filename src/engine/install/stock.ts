/**
 * TensorFlow's library as TensorFlow.js's own packages for Node download it (TensorFlow 2.9; that of `tfjs-node-gpu` for CUDA 11).
 * The engine native takes it where its own is not installed, so that who has it need not install another.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Libraries } from './installation.js'

export interface Stock {
  readonly package: string
  readonly libraries: Libraries
}

/** The package for GPUs first. */
const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']
const names = ['libtensorflow.so.2', 'libtensorflow.so', 'libtensorflow.2.dylib', 'libtensorflow.dylib']

/** What a program in this folder would get, if one of the packages is there with its library. */
export function findStock(folder = process.cwd()): Stock | undefined {
  const { resolve } = createRequire(join(folder, 'any.js'))
  for (const name of packages) {
    let home: string
    try {
      home = dirname(resolve(`${name}/package.json`))
    } catch {
      continue // not installed
    }
    const main = names.map((file) => join(home, 'deps', 'lib', file)).find((path) => existsSync(path))
    if (main !== undefined) return { package: name, libraries: { main, gpu: [] } }
  }
  return undefined
}
