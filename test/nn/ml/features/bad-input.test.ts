/** Bad input to feature stages: errors that name stage and column, and policies that let rows pass. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { frame, type AnyFrame, type Frame, type Sparse, type Tensor } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

const columns = { inputCol: 'x', outputCol: 'out' } as const
const outOf = async (rows: AnyFrame): Promise<unknown[]> =>
  (await (rows as Frame).select('out').toRows()).map((row) => row.out)
const vectors = (rows: readonly (readonly number[])[]) =>
  frame({
    x: {
      shape: [rows.length, rows[0]!.length] as const,
      dtype: 'float64',
      values: Float64Array.from(rows.flat()),
    },
  })

describe('labels and categories that were not learnt', () => {
  const known = frame({ x: ['b', 'a', 'b'] })
  const odd = frame([{ x: 'a' }, { x: 'zebra' }, { x: null }])

  test('StringIndexer: an error that quotes the label, no row, or a number of their own', async () => {
    const fit = async (handleInvalid: 'error' | 'skip' | 'keep') =>
      (await new ml.StringIndexer({ ...columns, handleInvalid }).fit(known)).transform(odd)
    await expect(outOf(await fit('error'))).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /StringIndexer: 'x': expected one of the labels that were learnt, got "zebra"/,
      ) as string,
      hint: expect.stringContaining("handleInvalid: 'skip'") as string,
    })
    expect(await outOf(await fit('skip'))).toEqual([1])
    expect(await outOf(await fit('keep'))).toEqual([1, 2, 2])
  })

  test('OneHotEncoder and IndexToString', async () => {
    const model = await new ml.OneHotEncoder(columns).fit(frame({ x: [0, 1] }))
    await expect(outOf(model.transform(frame({ x: [2] })))).rejects.toThrow(
      /OneHotEncoder: 'x': expected a category below 2, got 2/,
    )
    const keep = await new ml.OneHotEncoder({ ...columns, handleInvalid: 'keep', dropLast: false }).fit(
      frame({ x: [0, 1] }),
    )
    expect((await outOf(keep.transform(frame({ x: [7] })))) as Sparse[]).toMatchObject([
      { size: 3, indices: Int32Array.of(2) },
    ])
    await expect(new ml.OneHotEncoder(columns).fit(frame({ x: [-1, 1] }))).rejects.toThrow(
      /expected category numbers.*'x', got -1/,
    )
    const back = new ml.IndexToString({ ...columns, labels: ['a', 'b'] })
    await expect(outOf(back.transform(frame({ x: [5] })))).rejects.toThrow(/expected a position in 2 labels, got 5/)
  })

  test('an unknown token counts for nothing, and has an id of its own', async () => {
    const words = frame({ x: [['a', 'b', 'a']] })
    const odd_ = frame({ x: [['a', 'zebra']] })
    const counts = await new ml.CountVectorizer(columns).fit(words)
    expect((await outOf(counts.transform(odd_))) as Sparse[]).toMatchObject([{ size: 2, indices: Int32Array.of(0) }])
    const ids = await new ml.SequenceEncoder({ ...columns, length: 4 }).fit(words)
    expect(ids.vocabularySize).toBe(4)
    expect((await outOf(ids.transform(odd_))) as Tensor[]).toMatchObject([
      { shape: [4], values: Int32Array.of(2, 1, 0, 0) },
    ])
    expect((await outOf(ids.transform(frame({ x: [['b', 'a', 'b', 'a', 'a']] })))) as Tensor[]).toMatchObject([
      { values: Int32Array.of(3, 2, 3, 2) },
    ])
  })

  test('Bucketizer: NaN and null by policy; outside of all buckets is an error', async () => {
    const rows = frame([{ x: 1 }, { x: NaN }, { x: null }])
    const make = (handleInvalid: 'error' | 'skip' | 'keep') =>
      new ml.Bucketizer({ ...columns, splits: [0, 1, 2], handleInvalid })
    await expect(outOf(make('error').transform(rows))).rejects.toThrow(/Bucketizer: 'x': expected a number, got NaN/)
    expect(await outOf(make('skip').transform(rows))).toEqual([1])
    expect(await outOf(make('keep').transform(rows))).toEqual([1, 2, 2])
    await expect(outOf(make('keep').transform(frame({ x: [2.5] })))).rejects.toThrow(/within \[0, 2\], got 2.5/)
    expect(() => new ml.Bucketizer({ ...columns, splits: [0, 0, 1] })).toThrow(/expected three rising splits/)
  })

  test('VectorAssembler: null and NaN by policy', async () => {
    const rows = frame([
      { a: 1, b: 2 },
      { a: null, b: 3 },
      { a: NaN, b: 4 },
    ])
    const make = (handleInvalid: 'error' | 'skip' | 'keep') =>
      new ml.VectorAssembler({ inputCols: ['a', 'b'], outputCol: 'out', handleInvalid }).transform(rows)
    await expect(outOf(make('error'))).rejects.toThrow(
      /VectorAssembler: expected a number in 'a' in every row, got null/,
    )
    const values = async (out: AnyFrame) => ((await outOf(out)) as Tensor[]).map((row) => [...row.values])
    expect(await values(make('skip'))).toEqual([[1, 2]])
    expect(await values(make('keep'))).toEqual([
      [1, 2],
      [NaN, 3],
      [NaN, 4],
    ])
  })
})

describe('nothing to learn from', () => {
  test('empty frames and columns of nulls are errors that name the stage', async () => {
    const none = frame([], { schema: { x: { tensor: [2] } } })
    const noText = frame([], { schema: { x: 'string?' } })
    const noWords = frame([], { schema: { x: { list: 'string' } } })
    const nulls = frame([{ x: null }, { x: null }], { schema: { x: 'number?' } })
    await expect(new ml.StandardScaler(columns).fit(none)).rejects.toThrow(
      /StandardScaler\.fit: expected rows to learn from/,
    )
    await expect(new ml.IDF(columns).fit(none)).rejects.toThrow(/IDF\.fit: expected rows/)
    await expect(new ml.PCA({ ...columns, k: 1 }).fit(none)).rejects.toThrow(/PCA\.fit: expected at least two rows/)
    await expect(new ml.StringIndexer(columns).fit(noText)).rejects.toThrow(
      /StringIndexer\.fit: expected labels in 'x', got none/,
    )
    await expect(new ml.CountVectorizer(columns).fit(noWords)).rejects.toThrow(/CountVectorizer\.fit: expected rows/)
    for (const strategy of ['mean', 'median', 'mode'] as const) {
      await expect(new ml.Imputer({ ...columns, strategy }).fit(nulls)).rejects.toThrow(
        /Imputer\.fit: expected numbers in 'x' to learn from, got none/,
      )
    }
    await expect(
      new ml.LogisticRegression({ featuresCol: 'x', labelCol: 'y' }).fit(
        frame([], { schema: { x: { tensor: [2] }, y: 'number' } }),
      ),
    ).rejects.toThrow(/LogisticRegression\.fit: expected rows to learn from, got an empty frame/)
  })

  test('a transform of an empty frame gives none', async () => {
    const rows = frame([], { schema: { x: 'string' } })
    const words = new ml.Tokenizer(columns).transform(rows)
    const counts = new ml.HashingTF({ inputCol: 'out', outputCol: 'counts' }).transform(words)
    expect(await counts.toRows()).toEqual([])
  })

  test('nulls in vectors and labels that are no classes are told', async () => {
    const rows = frame({
      features: { shape: [2, 1] as const, dtype: 'float64', values: Float64Array.of(1, 2) },
      label: [0, 1.5],
    })
    await expect(new ml.LogisticRegression().fit(rows)).rejects.toThrow(
      /expected class numbers 0, 1, 2, ... as labels, got 1.5/,
    )
    const holes = frame([{ x: 1 }, { x: null }])
    await expect(
      new ml.KMeans({ featuresCol: 'out' }).fit(
        new ml.VectorAssembler({ inputCols: ['x'], outputCol: 'out' }).transform(holes),
      ),
    ).rejects.toThrow(/VectorAssembler: expected a number in 'x'/)
  })

  test('a model asks for vectors of the size that it has learnt from', async () => {
    const model = await new ml.StandardScaler(columns).fit(
      vectors([
        [1, 2],
        [3, 4],
      ]),
    )
    expect(() => model.transform(vectors([[1, 2, 3]]))).toThrow(
      /StandardScalerModel\.transform: expected 'x' to hold vectors of 2 components.*got 3/,
    )
  })

  test('null texts stay null through tokens, counts and weights', async () => {
    const rows = frame([{ x: 'a b' }, { x: null }, { x: 'b' }])
    const words = new ml.Tokenizer({ inputCol: 'x', outputCol: 'w' }).transform(rows as never) as Frame
    const grams = new ml.NGram({ inputCol: 'w', outputCol: 'g' }).transform(words) as Frame
    const counts = new ml.HashingTF({ inputCol: 'w', outputCol: 'out', numFeatures: 8 }).transform(grams as never)
    expect(await outOf(counts)).toEqual([expect.anything(), null, expect.anything()])
    expect((await grams.toRows()).map(({ g }) => g)).toEqual([['a b'], null, []])
  })
})

test('options out of range are told when the stage is made', () => {
  expect(() => new ml.HashingTF({ ...columns, numFeatures: 0 })).toThrow(/HashingTF: expected numFeatures/)
  expect(() => new ml.NGram({ ...columns, n: 0 })).toThrow(/NGram: expected n/)
  expect(() => new ml.Tokenizer({ outputCol: 'out' } as never)).toThrow(/Tokenizer: expected inputCol to name a column/)
  expect(() => new ml.RegexTokenizer({ ...columns, pattern: '(' })).toThrow(/RegexTokenizer: expected pattern/)
  expect(() => new ml.OneHotEncoder({ inputCols: ['a', 'b'], outputCols: ['c'] })).toThrow(/as many outputCols/)
  expect(() => new ml.MinMaxScaler({ ...columns, min: 2, max: 1 })).toThrow(/expected min below max/)
  expect(() => new ml.Normalizer({ ...columns, p: 0.5 })).toThrow(/expected p from 1 on/)
  expect(() => new ml.StopWordsRemover({ ...columns, stopWords: 'the' as never })).toThrow(
    /expected stopWords to be words/,
  )
  expect(() => new ml.KMeans({ k: 0 })).toThrow(/KMeans: expected k/)
  expect(() => new ml.RandomForestClassifier({ featureSubsetStrategy: 'half' as 'all' })).toThrow(
    /featureSubsetStrategy/,
  )
  expect(() => new ml.DecisionTreeClassifier({ impurity: 'variance' as 'gini' })).toThrow(/impurity/)
})

test('every stage is the same after save and load', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shardbook-stages-'))
  try {
    const rows = frame({
      text: ['b a a', 'c b', 'a'],
      words: [['b', 'a', 'a'], ['c', 'b'], ['a']],
      code: [0, 1, 0],
      label: [0, 1, 1],
      number: [1.5, NaN, 3],
      image: { shape: [3, 2, 2] as const, dtype: 'uint8', values: Uint8Array.from({ length: 12 }, (_, i) => i) },
      x: { shape: [3, 2] as const, dtype: 'float64', values: Float64Array.of(1, 2, -3, 4, 5, 5) },
    })
    const text = { inputCol: 'text', outputCol: 'out' } as const
    const words = { inputCol: 'words', outputCol: 'out' } as const
    const predictor = { featuresCol: 'x', predictionCol: 'out' } as const
    const plain = [
      new ml.Tokenizer(text),
      new ml.RegexTokenizer({ ...text, pattern: /B/i, gaps: false }),
      new ml.StopWordsRemover(words),
      new ml.NGram(words),
      new ml.HashingTF({ ...words, numFeatures: 16 }),
      new ml.IndexToString({ inputCol: 'code', outputCol: 'out', labels: ['x', 'ü'] }),
      new ml.VectorAssembler({ inputCols: ['code', 'x'], outputCol: 'out' }),
      new ml.Normalizer({ inputCol: 'x', outputCol: 'out', p: Infinity }),
      new ml.Bucketizer({ inputCol: 'code', outputCol: 'out', splits: [-Infinity, 0.5, Infinity] }),
      new ml.ImageFeature({ inputCol: 'image', outputCol: 'out', height: 1, width: 1, channels: 1 }),
    ] as const
    const learning = [
      new ml.IDF({ inputCol: 'x', outputCol: 'out' }),
      new ml.CountVectorizer(words),
      new ml.SequenceEncoder({ ...words, length: 4 }),
      new ml.StringIndexer(text),
      new ml.OneHotEncoder({ inputCol: 'code', outputCol: 'out' }),
      new ml.StandardScaler({ inputCol: 'x', outputCol: 'out', withMean: true }),
      new ml.MinMaxScaler({ inputCol: 'x', outputCol: 'out' }),
      new ml.MaxAbsScaler({ inputCol: 'x', outputCol: 'out' }),
      new ml.PCA({ inputCol: 'x', outputCol: 'out', k: 1 }),
      new ml.Imputer({ inputCol: 'number', outputCol: 'out' }),
      new ml.LogisticRegression({ ...predictor, regParam: 0.1 }),
      new ml.LinearSVC({ ...predictor, regParam: 0.1 }),
      new ml.LinearRegression(predictor),
      new ml.DecisionTreeClassifier(predictor),
      new ml.DecisionTreeRegressor(predictor),
      new ml.RandomForestClassifier({ ...predictor, numTrees: 2 }),
      new ml.RandomForestRegressor({ ...predictor, numTrees: 2 }),
      new ml.GBTClassifier({ ...predictor, maxIter: 2 }),
      new ml.GBTRegressor({ ...predictor, maxIter: 2 }),
      new ml.KMeans(predictor),
    ] as readonly ml.Estimator[]
    const again = async (stage: ml.Stage): Promise<unknown> => {
      const path = join(folder, stage.kind)
      await stage.save(path)
      const loaded: ml.Stage = await ml.load(path)
      expect(loaded.kind).toBe(stage.kind)
      expect(loaded.transformSchema(rows.schema)).toEqual(stage.transformSchema(rows.schema))
      return loaded
    }
    for (const stage of plain) {
      const loaded = (await again(stage)) as ml.Transformer
      expect(await outOf(loaded.transform(rows))).toEqual(await outOf((stage as ml.Transformer).transform(rows)))
    }
    for (const estimator of learning) {
      await again(estimator)
      const model = await estimator.fit(rows)
      const loaded = (await again(model)) as ml.Transformer
      expect(await outOf(loaded.transform(rows))).toEqual(await outOf(model.transform(rows)))
      // What an estimator says will come out is what comes out.
      const names = (schema: AnyFrame['schema']) => schema.map(({ name, type }) => `${name} ${type.kind}`)
      expect(names(model.transform(rows).schema)).toEqual(names(estimator.transformSchema(rows.schema)))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
