/**
 * Types of the frame, checked by the compiler: what each verb accepts, gives and refuses. `frame-types.test.ts` checks
 * the words of the refusals.
 */
import { col, frame, lit, read, vector, when, type Dynamic, type Frame, type Tensor } from '../../src/frame/index.js'
import { is, type Flowers } from './exact.js'

declare const flowers: Frame<Flowers>
declare const unknown: Frame

// select, drop, rename
is<{ id: number; petal: number | null }>()(flowers.select('id', 'petal'))
is<{ twice: number; maybe: number | null }>()(
  flowers.select({ twice: col('width').mul(2), maybe: col('petal').add(1) }),
)
is<{ twice: number; maybe: number | null }>()(flowers.select((c) => ({ twice: c.width.mul(2), maybe: c.petal.add(1) })))
is<{ id: number }>()(flowers.drop('petal', 'width', 'species', 'seen', 'rare', 'code', 'image'))
is<{ key: number; name: string }>()(flowers.select('id', 'species').rename({ id: 'key', species: 'name' }))
// @ts-expect-error there is no such column
flowers.select('petall')
// @ts-expect-error there is no such column
flowers.drop('petall')
// @ts-expect-error there is no such column
flowers.rename({ petall: 'x' })
// @ts-expect-error there is no such column
flowers.select({ x: col('petall') })

// withColumns: replaces in place, adds, keeps nullability
is<{ id: number; width: string; ratio: number | null }>()(
  flowers
    .select('id', 'width', 'petal')
    .withColumns({ width: col('width').cast('string'), ratio: col('petal').div(col('width')) })
    .drop('petal'),
)
is<{ id: number; ok: boolean; known: boolean; name: string; one: number }>()(
  flowers
    .select('id', 'petal', 'species')
    .withColumns((c) => ({
      ok: c.id.gt(1).and(c.species.startsWith('s')),
      known: c.petal.isNotNull(),
      name: c.species.upper(),
      one: lit(1),
    }))
    .drop('petal', 'species'),
)
is<{ filled: number; features: Tensor<[2]>; size: string; year: number; next: bigint }>()(
  flowers.select((c) => ({
    filled: c.petal.fillNull(0),
    features: vector('id', 'width'),
    size: when(c.id.gt(1)).then('big').otherwise(c.species),
    year: c.seen.year(),
    next: c.code.add(1n),
  })),
)
// @ts-expect-error a string is not a number
flowers.withColumns({ x: col('species').add(1) })
// @ts-expect-error a string has no add
flowers.withColumns((c) => ({ x: c.species.add(1) }))
// @ts-expect-error an aggregate is no row expression
flowers.withColumns({ x: col('id').sum() })
// @ts-expect-error a tensor is not a component
flowers.withColumns({ x: vector('id', 'image') })

// filter
is<Flowers>()(flowers.filter(col('petal').gt(1.5).and(col('species').ne('setosa'))))
is<Flowers>()(flowers.filter((c) => c.petal.gt(1.5).or(c.rare)))
is<Flowers>()(flowers.filter(col('rare')))
is<Flowers>()(flowers.filter(col('id').gt(col('width'))))
is<Flowers>()(
  flowers.filter(
    col('seen')
      .ge(new Date(0))
      .and(col('code').lt(5n))
      .and(col('species').isIn(['a'])),
  ),
)
// @ts-expect-error there is no such column
flowers.filter(col('petall').gt(1.5))
// @ts-expect-error there is no such column
flowers.filter((c) => c.petall.gt(1.5))
// @ts-expect-error a number is not a boolean
flowers.filter(col('petal').add(1))
// @ts-expect-error a string does not compare with a number
flowers.filter(col('species').gt(1))
// @ts-expect-error a string does not compare with a number
flowers.filter((c) => c.species.gt(1))
// @ts-expect-error a number is no boolean operand
flowers.filter((c) => c.rare.and(c.id))

// groupBy, agg
is<{ species: string; n: number; mean: number | null; first: Date; most: number; spread: number | null }>()(
  flowers.groupBy('species').agg({
    n: col.count(),
    mean: col('petal').mean(),
    first: col('seen').min(),
    most: col('id').max(),
    spread: col('id').std(),
  }),
)
is<{ big: boolean; range: number; share: number }>()(
  flowers
    .groupBy((c) => ({ big: c.id.gt(5) }))
    .agg((c) => ({ range: c.id.max().sub(c.id.min()), share: c.rare.mean() })),
)
is<{ total: number | null }>()(flowers.agg({ total: col('id').sum() }))
// @ts-expect-error not an aggregate
flowers.groupBy('species').agg({ x: col('id') })
// @ts-expect-error there is no such column
flowers.groupBy('specie')
// @ts-expect-error the mean of a string
flowers.groupBy('species').agg({ x: col('species').mean() })

// verbs that keep the columns
is<Flowers>()(
  flowers.sort('species', col('petal').desc()).limit(3).slice(1, 2).sample({ fraction: 0.5, seed: 1 }).distinct('id'),
)
is<Flowers>()(flowers.sort((c) => [c.species, c.petal.desc()]))
is<Flowers>()(flowers.randomSplit([0.9, 0.1], { seed: 7 })[1])
// @ts-expect-error there are two parts
is<Flowers>()(flowers.randomSplit([0.9, 0.1])[2])
// @ts-expect-error there is no such column
flowers.sort('petall')
// @ts-expect-error there is no such column
flowers.sort(col('petall').desc())
// @ts-expect-error there is no such column
flowers.distinct('petall')

// nulls
is<{ petal: number; species: string }>()(flowers.select('petal', 'species').dropNulls('petal'))
is<{ petal: number; species: string }>()(flowers.select('petal', 'species').dropNulls())
is<{ petal: number; species: string }>()(flowers.select('petal', 'species').fillNull({ petal: 0 }))
// @ts-expect-error a string does not fill a number
flowers.fillNull({ petal: 'x' })

// join, concat
declare const names: Frame<{ species: string; latin: string; id: number }>
is<{ id: number; species: string; latin: string; id_right: number }>()(
  flowers.select('id', 'species').join(names, { on: 'species' }),
)
is<{ id: number; species: string; latin: string | null; id_r: number | null }>()(
  flowers.select('id', 'species').join(names, { on: 'species', how: 'left', suffix: '_r' }),
)
is<{ id: number; species: string }>()(
  flowers.select('id', 'species').join(names, { on: ['species', 'id'], how: 'semi' }),
)
is<{ id: number | null; species: string; latin: string | null; id_right: number | null }>()(
  flowers.select('id', 'species').join(names, { on: 'species', how: 'full' }),
)
is<{ petal: number | null }>()(flowers.select('width').rename({ width: 'petal' }).concat(flowers.select('petal')))
// @ts-expect-error the other side has no such column
flowers.join(names, { on: 'petal' })
is<{ id: number; species: string; latin: string; id_right: number }>()(
  flowers.select('id', 'species').join(names, { on: { species: 'species' } }),
)
declare const keyed: Frame<{ key: number; id: string; latin: string }>
is<{ id: number; species: string; id_right: string | null; latin: string | null }>()(
  flowers.select('id', 'species').join(keyed, { on: { id: 'key' }, how: 'left' }),
)
is<{ id: number; species: string; id_r: string | null }>()(
  flowers.select('id', 'species').join(keyed, { on: { id: 'key', species: 'latin' }, how: 'full', suffix: '_r' }),
)
is<{ id: number; species: string }>()(flowers.select('id', 'species').join(keyed, { on: { id: 'key' }, how: 'semi' }))
// @ts-expect-error the other side has no such column
flowers.join(keyed, { on: { id: 'kye' } })
// @ts-expect-error this side has no such column
flowers.join(keyed, { on: { id: 'key', petall: 'latin' } })

// in memory
is<{ a: number; b: string | null }>()(
  frame([
    { a: 1, b: 'x' },
    { a: 2, b: null },
  ]),
)
is<{ a: number; b: string | null }>()(frame([{ a: 1, b: 'x' }, { a: 2 }]))
is<{ x: number; y: string; t: Tensor<[2, 3]>; k: bigint }>()(
  frame({
    x: new Float32Array(2),
    y: ['a', 'b'],
    t: { shape: [2, 2, 3] as const, dtype: 'float32', values: new Float32Array(12) },
    k: new BigInt64Array(2),
  }),
)
is<{ a: number | null; b: string }>()(frame([], { schema: { a: 'number?', b: 'string' } }))

// readers: any column without a schema, exactly the given ones with
is<Dynamic>()(await read.csv('x.csv'))
is<{ a: number | null; b: string; at: Date }>()(
  await read.csv('x.csv', { schema: { a: 'number?', b: 'string', at: 'timestamp' } }),
)
is<Dynamic>()(unknown.filter(col('whatever').gt(1.5)))
is<{ a: unknown; n: number | null }>()(unknown.select({ a: col('a'), n: col('b').mul(2) }))
is<{ species: unknown; n: number; mean: number | null }>()(
  unknown.groupBy('species').agg({ n: col.count(), mean: col('ratio').mean() }),
)
// @ts-expect-error no such type
await read.csv('x.csv', { schema: { a: 'float' } })

// ends
const rows: { id: number; petal: number | null }[] = await flowers.select('id', 'petal').toRows()
const columns: { readonly petal: readonly (number | null)[] } = await flowers.select('petal').toColumns()
void rows
void columns
