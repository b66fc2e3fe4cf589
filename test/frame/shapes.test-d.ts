/** Types of what changes the shape of a frame, of lists, structs, windows and schemas, checked by the compiler. */
import * as v from 'valibot'
import { z } from 'zod'
import { col, frame, list, struct, when, type Dynamic, type Frame, type Sparse } from '../../src/frame/index.js'
import { is, type Flowers } from './exact.js'

declare const flowers: Frame<Flowers>
declare const unknown: Frame
declare const names: Frame<{ species: string; latin: string; id: number }>

// lists and structs
declare const nested: Frame<{
  id: number
  tags: string[]
  scores: (number | null)[] | null
  place: { x: number; name: string | null }
  maybe: { x: number } | null
}>
is<{ first: string | null; n: number; has: boolean; words: string; best: number | null; total: number | null }>()(
  nested.select((c) => ({
    first: c.tags.list.get(0),
    n: c.tags.list.length(),
    has: c.tags.list.contains('a'),
    words: c.tags.list.sort().list.join(' '),
    best: c.scores.list.max(),
    total: c.scores.list.sum(),
  })),
)
is<{ x: number; name: string | null; perhaps: number | null; loose: string | null; part: number }>()(
  nested.select((c) => ({
    x: c.place.field('x').add(1),
    name: c.place.field('name').upper(),
    perhaps: c.maybe.field('x'),
    loose: col('place').field('name'),
    part: col('place').field('x'),
  })),
)
is<{ pair: number[]; both: { id: number; first: string | null }; words: string[]; all: (string | null)[] }>()(
  nested.select((c) => ({
    pair: list(c.id, 1),
    both: struct({ id: c.id, first: c.tags.list.get(0) }),
    words: c.tags.list.join(' ').split(' '),
    all: list(c.place.field('name'), 'x'),
  })),
)
// @ts-expect-error there is no such field
nested.select((c) => ({ y: c.place.field('y') }))
// @ts-expect-error a list of strings holds no numbers
nested.filter((c) => c.tags.list.contains(1))
// @ts-expect-error a number has no elements
nested.select((c) => ({ x: c.id.list.get(0) }))
// @ts-expect-error a number has no elements
nested.select({ x: col('id').list.length() })
// @ts-expect-error there is no such field
nested.select({ y: col('place').field('y') })

// explode
is<{ id: number; tags: string | null }>()(nested.select('id', 'tags').explode('tags'))
is<{ id: number; tags: string }>()(nested.select('id', 'tags').explode('tags', { empty: 'drop' }))
// @ts-expect-error not a list
nested.explode('id')
// @ts-expect-error there is no such column
nested.explode('tag')

// windows
is<{ rank: number; before: number | null; sum: number; share: number | null; first: string; mean: number }>()(
  flowers.select((c) => ({
    rank: col.rank().over({ partitionBy: 'species', orderBy: c.width.desc() }),
    before: c.width.lag().over({ orderBy: ['seen', c.id] }),
    sum: c.width.sum().over({ partitionBy: ['species', c.rare], orderBy: 'id' }),
    share: c.petal.div(c.petal.mean().over()),
    first: c.species.first().over({ orderBy: 'id' }),
    mean: c.width.mean().over({ frame: [-2, 0] }),
  })),
)
is<{ mean: number | null; all: number; n: number; before: number | null }>()(
  flowers.select({
    mean: col('width')
      .mean()
      .over({ frame: [-2, -1] }),
    all: col('width')
      .mean()
      .over({ frame: [null, null] }),
    n: col.rowNumber().over({ partitionBy: 'species' }),
    before: col('width').sub(col('width').lag().over()),
  }),
)
// @ts-expect-error there is no such column
flowers.select({ x: col('width').sum().over({ partitionBy: 'specie' }) })
// @ts-expect-error there is no such column
flowers.select({ x: col.rank().over({ orderBy: col('widht').desc() }) })
// @ts-expect-error a row expression has no window
flowers.select((c) => ({ x: c.width.add(1).over() }))
// @ts-expect-error a window function needs its window
flowers.select({ x: col.rank() })
// @ts-expect-error no aggregate of a group
flowers.groupBy('species').agg((c) => ({ x: c.width.lag() }))

// filters that tell that there is no null
is<{ petal: number; width: number | null }>()(
  flowers.select((c) => ({ petal: c.petal, width: c.petal })).filter((c) => c.petal.isNotNull()),
)
is<{ petal: number; id: number }>()(flowers.select('petal', 'id').filter(col('petal').isNotNull().and(col('id').gt(1))))
is<{ petal: number | null }>()(flowers.select('petal').filter((c) => c.petal.isNotNull().not()))
is<{ petal: number | null }>()(flowers.select('petal').filter((c) => c.petal.isNotNull().or(c.petal.gt(1))))
is<{ known: boolean }>()(flowers.select((c) => ({ known: c.petal.isNotNull() })))

// pivot, unpivot
is<{ species: string; true: number | null; false: number | null }>()(
  flowers.pivot({ index: 'species', on: 'rare', values: [true, false], agg: (c) => c.width.sum() }),
)
is<{ species: string; rare: boolean; 1: number | null; 2: number | null }>()(
  flowers.pivot({ index: ['species', 'rare'], on: 'id', values: [1, 2], agg: col('petal').max() }),
)
// @ts-expect-error the column holds no text
flowers.pivot({ index: 'species', on: 'rare', values: ['yes'], agg: col.count() })
// @ts-expect-error not an aggregate
flowers.pivot({ index: 'species', on: 'rare', values: [true], agg: col('width') })
is<{ id: number; variable: 'petal' | 'width'; value: number | null }>()(
  flowers.select('id', 'petal', 'width').unpivot({ on: ['petal', 'width'] }),
)
is<{ species: string; what: 'id'; much: number }>()(
  flowers.unpivot({ index: 'species', on: ['id'], variable: 'what', value: 'much' }),
)
// @ts-expect-error there is no such column
flowers.unpivot({ on: ['petall'] })

// other joins
is<{ species: string; id: number | null; latin: string; id_right: number }>()(
  flowers.select('id', 'species').join(names, { on: 'species', how: 'right' }),
)
is<{ width: number; species: string; latin: string; id: number }>()(
  flowers.select('width').join(names, { how: 'cross' }),
)
is<{ id: number; width: number; species: string | null; latin: string | null; id_right: number | null }>()(
  flowers.select('id', 'width').joinAsOf(names, { at: 'id' }),
)
const quotes = names.rename({ id: 'seen', species: 'kind' })
is<{ id: number; species: string; id_right: number | null; latin: string | null }>()(
  flowers.select('id', 'species').joinAsOf(quotes, { at: { id: 'seen' }, on: { species: 'kind' } }),
)
is<{ id: number; species: string; id_q: number | null; kind: string | null; latin: string | null }>()(
  flowers.select('id', 'species').joinAsOf(quotes, { at: { id: 'seen' }, suffix: '_q' }),
)
// @ts-expect-error the other frame has no such column
flowers.joinAsOf(quotes, { at: { id: 'sen' } })
// @ts-expect-error this frame has no such column
flowers.joinAsOf(quotes, { at: { ids: 'seen' } })
// @ts-expect-error this frame has no such column
flowers.joinAsOf(quotes, { at: { id: 'seen' }, on: { kind: 'kind' } })
// @ts-expect-error there is no such kind
flowers.join(names, { on: 'species', how: 'outer' })
// @ts-expect-error keys are needed
flowers.join(names, { how: 'left' })

// when, casts, categoricals, sparse vectors
is<{ size: string; n: number | null; many: number }>()(
  flowers.select((c) => ({
    size: when(c.width.gt(2)).then('big').when(c.rare).then('rare').otherwise(c.species),
    n: when(c.width.gt(2)).then(1).otherwise(null),
    many: when(c.rare).then(c.id).otherwise(0),
  })),
)
is<{ n: number | null; s: string; c: 'a' | 'b'; l: string[] }>()(
  nested.select((c) => ({
    n: c.tags.list.join('').tryCast('number'),
    s: c.id.cast('string'),
    c: c.tags.list.join('').cast({ categorical: ['a', 'b'] }),
    l: c.tags.cast({ list: 'string' }),
  })),
)
const shirts = frame([{ size: 'M' }], { schema: { size: { categorical: ['S', 'M', 'L'], nullable: true } } })
is<{ size: 'S' | 'M' | 'L' | null }>()(shirts)
is<{ size: 'S' | 'M' | 'L'; level: number }>()(
  shirts.filter((c) => c.size.isNotNull()).withColumns((c) => ({ level: c.size.level() })),
)
// @ts-expect-error there is no such size
shirts.filter((c) => c.size.eq('XS'))
is<{ v: Sparse<8> | null; l: (number | null)[]; s: { a: Date } }>()(
  frame([], {
    schema: { v: { sparse: 8, nullable: true }, l: { list: 'number?' }, s: { struct: { a: 'date' } } },
  }),
)
is<{ v: Sparse }>()(frame([{ v: { size: 8, indices: [1], values: [2] } }]))
// @ts-expect-error there is no such condition
flowers.select({ x: when(col('rar')).then(1).otherwise(2) })

// schemas of other libraries, SQL, the rest
is<{ name: string; age: number }>()(unknown.validate(z.object({ name: z.string(), age: z.number() })))
is<{ name: string; age: number | null }>()(
  frame([{}], { schema: v.object({ name: v.string(), age: v.nullable(v.number()) }) }),
)
is<{ n: number }>()(await frame.sql<{ n: number }>`select count(*) as n from ${flowers} where id > ${5}`)
is<Dynamic>()(await frame.sql`select * from ${flowers}`)
// @ts-expect-error no value of SQL
await frame.sql`select ${{ a: 1 }}`
is<Flowers>()(
  flowers
    .cache()
    .sample({ rows: 3 })
    .randomSplit([1], { stratify: ['species', 'rare'] })[0],
)
// @ts-expect-error there is no such column
flowers.randomSplit([1], { stratify: 'specie' })
