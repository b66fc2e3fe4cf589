/** Feature stages against PySpark (`fixtures/features.py`). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { frame, type AnyFrame, type Frame, type Sparse, type Tensor } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

type Vectors = readonly (readonly number[])[]
interface SparseRow {
  readonly size: number
  readonly indices: readonly number[]
  readonly values: readonly number[]
}
const spark = JSON.parse(readFileSync(new URL('../fixtures/features.json', import.meta.url), 'utf8')) as {
  tokenizer: { text: string[]; words: string[][] }
  regexTokenizer: { options: Partial<ml.RegexTokenizerOptions>; words: string[][] }[]
  stopWords: { list: string[]; out: string[][] }
  ngram: Record<string, string[][]>
  hashAbc: SparseRow[]
  hashing: SparseRow[]
  hashingWide: SparseRow[]
  idf: SparseRow[]
  countVectorizer: { vocabulary: string[]; out: SparseRow[] }
  stringIndexer: Record<'frequencyDesc' | 'alphabetAsc', { labels: string[]; out: number[] }>
  oneHot: { options: Partial<ml.OneHotEncoderOptions>; out: SparseRow[] }[]
  points: number[][]
  standardScaler: Vectors
  standardScalerMean: Vectors
  minMaxScaler: Vectors
  maxAbsScaler: Vectors
  normalizer: Record<string, Vectors>
  pca: { out: Vectors; explained: number[] }
  imputer: Record<'mean' | 'median' | 'mode', Vectors>
  bucketizer: number[]
  assembler: Vectors
}

const columns = { inputCol: 'x', outputCol: 'out' } as const
const outOf = async (rows: AnyFrame): Promise<unknown[]> =>
  (await (rows as Frame).select('out').toRows()).map((row) => row.out)

function expectSparse(rows: readonly unknown[], expected: readonly SparseRow[]): void {
  const got = rows.map((row) => {
    const { size, indices, values } = row as Sparse
    return { size, indices: [...indices], values: [...values].map((value) => Math.fround(value)) }
  })
  expect(got).toEqual(expected.map((row) => ({ ...row, values: row.values.map((value) => Math.fround(value)) })))
}

function expectDense(rows: readonly unknown[], expected: Vectors, digits = 12): void {
  expect(rows).toHaveLength(expected.length)
  rows.forEach((row, i) => {
    const values = [...(row as Tensor).values]
    expect(values).toHaveLength(expected[i]!.length)
    values.forEach((value, j) => expect(value, `row ${i}, component ${j}`).toBeCloseTo(expected[i]![j]!, digits))
  })
}

describe('text', () => {
  const texts = frame({ x: spark.tokenizer.text })
  const words = frame({ x: spark.tokenizer.words })

  test('Tokenizer', async () => {
    expect(await outOf(new ml.Tokenizer(columns).transform(texts))).toEqual(spark.tokenizer.words)
  })

  test.each(spark.regexTokenizer)('RegexTokenizer $options', async ({ options, words: expected }) => {
    expect(await outOf(new ml.RegexTokenizer({ ...columns, ...options }).transform(texts))).toEqual(expected)
  })

  test('StopWordsRemover, with the same words', async () => {
    expect(await outOf(new ml.StopWordsRemover(columns).transform(words))).toEqual(spark.stopWords.out)
    const { StopWordsRemover } = ml
    const list = frame({ x: [spark.stopWords.list] })
    expect(await outOf(new StopWordsRemover(columns).transform(list))).toEqual([[]])
  })

  test('NGram', async () => {
    for (const [n, expected] of Object.entries(spark.ngram)) {
      expect(await outOf(new ml.NGram({ ...columns, n: Number(n) }).transform(words))).toEqual(expected)
    }
  })

  test('HashingTF has Spark’s positions', async () => {
    const abc = new ml.HashingTF({ ...columns, numFeatures: 10 }).transform(frame({ x: [['a', 'b', 'c']] }))
    expectSparse(await outOf(abc), spark.hashAbc)
    expect(spark.hashAbc[0]!.indices).toEqual([5, 7, 8])
    expectSparse(await outOf(new ml.HashingTF({ ...columns, numFeatures: 1000 }).transform(words)), spark.hashing)
    expectSparse(await outOf(new ml.HashingTF({ ...columns, binary: true }).transform(words)), spark.hashingWide)
  })

  test('IDF', async () => {
    const hashed = new ml.HashingTF({ inputCol: 'x', outputCol: 'h', numFeatures: 1000 }).transform(words)
    const idf = await new ml.IDF({ inputCol: 'h', outputCol: 'out', minDocFreq: 2 }).fit(hashed)
    expectSparse(await outOf(idf.transform(hashed)), spark.idf)
  })

  test('CountVectorizer', async () => {
    const counted = frame({
      x: [
        ['a', 'b', 'c'],
        ['a', 'b', 'b', 'c', 'a'],
        ['d', 'a', 'b', 'b'],
      ],
    })
    const model = await new ml.CountVectorizer({ ...columns, vocabSize: 3, minDF: 2 }).fit(counted)
    expect(model.vocabulary).toEqual(spark.countVectorizer.vocabulary)
    expectSparse(await outOf(model.transform(counted)), spark.countVectorizer.out)
  })
})

describe('categories', () => {
  test('StringIndexer in every order, and back', async () => {
    const letters = frame({ x: 'abcaac'.split('') })
    for (const [order, { labels, out }] of Object.entries(spark.stringIndexer)) {
      const stringOrderType = order as 'frequencyDesc'
      const model = await new ml.StringIndexer({ ...columns, stringOrderType }).fit(letters)
      expect(model.labels).toEqual(labels)
      const indexed = model.transform(letters)
      expect(await outOf(indexed)).toEqual(out)
      const back = new ml.IndexToString({ inputCol: 'out', outputCol: 'label', labels: model.labels }).transform(
        indexed,
      )
      expect((await back.toRows()).map(({ label }) => label)).toEqual('abcaac'.split(''))
    }
  })

  test.each(spark.oneHot)('OneHotEncoder $options', async ({ options, out }) => {
    const codes = frame({ x: [0, 1, 2, 0] })
    const model = await new ml.OneHotEncoder({ ...columns, ...options }).fit(codes)
    expectSparse(await outOf(model.transform(codes)), out)
  })
})

describe('vectors', () => {
  const values = Float64Array.from(spark.points.flat())
  const points = frame({ x: { shape: [4, 4] as const, dtype: 'float64', values } })

  test('StandardScaler; a constant component becomes 0', async () => {
    const scaler = new ml.StandardScaler(columns)
    expectDense(await outOf((await scaler.fit(points)).transform(points)), spark.standardScaler)
    const centred = await scaler.copy({ withMean: true }).fit(points)
    expectDense(await outOf(centred.transform(points)), spark.standardScalerMean)
  })

  test('MinMaxScaler; a constant component becomes the middle', async () => {
    const model = await new ml.MinMaxScaler({ ...columns, min: -1, max: 2 }).fit(points)
    expectDense(await outOf(model.transform(points)), spark.minMaxScaler)
  })

  test('MaxAbsScaler', async () => {
    expectDense(await outOf((await new ml.MaxAbsScaler(columns).fit(points)).transform(points)), spark.maxAbsScaler)
  })

  test('Normalizer', async () => {
    for (const [p, expected] of Object.entries(spark.normalizer)) {
      const stage = new ml.Normalizer({ ...columns, p: p === 'inf' ? Infinity : Number(p) })
      expectDense(await outOf(stage.transform(points)), expected)
    }
  })

  test('PCA, but for the sign of each direction', async () => {
    const model = await new ml.PCA({ ...columns, k: 2 }).fit(points)
    const signs = [0, 1].map((k) => Math.sign(model.pc[k * 4]!))
    const rows = (await outOf(model.transform(points))) as Tensor[]
    const flips = [0, 1].map((k) => Math.sign(rows[0]!.values[k]! * spark.pca.out[0]![k]!))
    const flipped = spark.pca.out.map((row) => row.map((value, k) => value * flips[k]!))
    expect(signs).not.toContain(0)
    expectDense(rows, flipped, 9)
    model.explainedVariance.forEach((share, k) => expect(share).toBeCloseTo(spark.pca.explained[k]!, 12))
  })

  test('VectorAssembler, dense and sparse', async () => {
    const rows = frame(
      [
        {
          a: 18,
          b: true,
          c: { shape: [2], dtype: 'float32', values: Float32Array.of(0, 10) },
          d: { size: 3, indices: [1], values: [2] },
        },
      ],
      { schema: { a: 'number', b: 'boolean', c: { tensor: [2] }, d: { sparse: 3 } } },
    )
    const all = new ml.VectorAssembler({ inputCols: ['a', 'b', 'c', 'd'], outputCol: 'out' }).transform(rows)
    const [first] = (await outOf(all)) as Sparse[]
    const dense = Array.from({ length: first!.size }, () => 0)
    first!.indices.forEach((index, i) => (dense[index] = first!.values[i]!))
    expect(dense).toEqual(spark.assembler[0])
    const some = new ml.VectorAssembler({ inputCols: ['a', 'b', 'c'], outputCol: 'out' }).transform(rows)
    expectDense(await outOf(some), [spark.assembler[0]!.slice(0, 4)])
  })
})

describe('numbers', () => {
  test('Imputer', async () => {
    const holes = frame({ a: [1, 2, NaN, 4, 5, 5], b: [NaN, NaN, 3, 4, 5, 4] })
    for (const [strategy, expected] of Object.entries(spark.imputer)) {
      const names = { inputCols: ['a', 'b'], outputCols: ['oa', 'ob'] } as const
      const model = await new ml.Imputer({ ...names, strategy: strategy as 'mean' }).fit(holes)
      const rows = (await model.transform(holes).toRows()) as unknown as { oa: number; ob: number }[]
      expect(rows.map(({ oa, ob }) => [oa, ob])).toEqual(expected)
    }
  })

  test('Bucketizer', async () => {
    const stage = new ml.Bucketizer({ ...columns, splits: [-Infinity, -0.5, 0, 0.5, Infinity] })
    const rows = frame({ x: [-999.9, -0.5, -0.3, 0, 0.2, 0.5, 999.9] })
    expect(await outOf(stage.transform(rows))).toEqual(spark.bucketizer)
  })
})
