/** Whole numbers in types: products and sums of literal sizes, digit by digit as on paper, so that no tuple grows beyond a few dozen. */
import type { Shape } from './layer.js'

/** All numbers of a shape multiplied; `number` where one is not known. */
export type Product<S extends Shape, Found extends Digits = ['1']> = S extends readonly [
  infer First extends number,
  ...infer Rest extends Shape,
]
  ? number extends First
    ? number
    : `${First}` extends `${string}${'.' | '-' | 'e'}${string}`
      ? number
      : Product<Rest, Times<Found, DigitsOf<`${First}`>>>
  : S extends readonly []
    ? NumberOf<Found>
    : number

/** Two sizes added; `number` where one is not known. */
export type Sum<A extends number, B extends number> = number extends A | B
  ? number
  : NumberOf<Plus<DigitsOf<`${A}`>, DigitsOf<`${B}`>>>

/** Digits of a number, the last one first. */
type Digits = readonly Digit[]
type Digit = keyof Units
type DigitsOf<Text extends string, Found extends Digits = []> = Text extends `${infer D extends Digit}${infer Rest}`
  ? DigitsOf<Rest, [D, ...Found]>
  : Found
type NumberOf<D extends Digits, Text extends string = ''> = D extends readonly [
  infer First extends Digit,
  ...infer Rest extends Digits,
]
  ? NumberOf<Rest, `${First}${Text}`>
  : Text extends `${infer N extends number}`
    ? N
    : number

interface Units {
  '0': []
  '1': [0]
  '2': [0, 0]
  '3': [0, 0, 0]
  '4': [0, 0, 0, 0]
  '5': [0, 0, 0, 0, 0]
  '6': [0, 0, 0, 0, 0, 0]
  '7': [0, 0, 0, 0, 0, 0, 0]
  '8': [0, 0, 0, 0, 0, 0, 0, 0]
  '9': [0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/** `A * B`: for every digit of B, A times that digit, one place further on. */
type Times<A extends Digits, B extends Digits> = B extends readonly [
  infer D extends Digit,
  ...infer Rest extends Digits,
]
  ? Rest extends readonly []
    ? Scaled<A, D>
    : Plus<Scaled<A, D>, ['0', ...Times<A, Rest>]>
  : []

/** `A * D + Carry` */
type Scaled<A extends Digits, D extends Digit, Carry extends readonly 0[] = []> = A extends readonly [
  infer First extends Digit,
  ...infer Rest extends Digits,
]
  ? Split<[...Repeated<Units[First], Units[D]>, ...Carry]> extends [infer Here extends Digit, infer Next extends Digit]
    ? [Here, ...Scaled<Rest, D, Units[Next]>]
    : []
  : Ended<Carry>

/** `A + B + Carry` */
type Plus<A extends Digits, B extends Digits, Carry extends readonly 0[] = []> = A extends readonly []
  ? B extends readonly []
    ? Ended<Carry>
    : Plus<['0'], B, Carry>
  : B extends readonly []
    ? Plus<A, ['0'], Carry>
    : [A, B] extends [
          readonly [infer X extends Digit, ...infer As extends Digits],
          readonly [infer Y extends Digit, ...infer Bs extends Digits],
        ]
      ? Split<[...Units[X], ...Units[Y], ...Carry]> extends [infer Here extends Digit, infer Next extends Digit]
        ? [Here, ...Plus<As, Bs, Units[Next]>]
        : []
      : []

type Repeated<A extends readonly 0[], Times_ extends readonly 0[]> = Times_ extends readonly [
  0,
  ...infer Rest extends readonly 0[],
]
  ? [...A, ...Repeated<A, Rest>]
  : []

/** A number below 100 as its last digit and the one before. */
type Split<T extends readonly 0[]> = `${T['length']}` extends `${infer Ten extends Digit}${infer One extends Digit}`
  ? [One, Ten]
  : `${T['length']}` extends infer One extends Digit
    ? [One, '0']
    : never
type Ended<Carry extends readonly 0[]> = Carry extends readonly [] ? [] : [`${Carry['length']}` & Digit]
