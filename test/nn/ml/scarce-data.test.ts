import { describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import { hasData, missing } from '../../needs.js'
import { accuraciesOf500 } from './scarce-data.js'

describe.skipIf(!hasData('mnist') || missing('native') !== undefined)('with MNIST from SHARDBOOK_DATA', () => {
  test('500 images teach more when they are augmented', async () => {
    await openEngine('native')
    const { plain, augmented } = await accuraciesOf500(1, 12)
    expect(augmented - plain).toBeGreaterThan(0.01)
  })
})
