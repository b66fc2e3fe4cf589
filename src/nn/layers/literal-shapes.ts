/**
 * Shapes in types, where they are literal: what a layer takes and gives, and whether layers in a row fit. Types only, and cheap: a
 * convolution's height and width are known as numbers alone, and from a layer that says nothing of itself on nothing is checked.
 */
import type { Layer, Shape } from './layer.js'

/** Types only; there is no such property. */
declare const takes: unique symbol

/**
 * A layer that takes samples of `Axes` (`['height', 'width', 'channels']`) and gives `Gives`: a shape, in which `'last'` is the
 * sample's last axis; the `'same'` shape; its numbers in a row (`'flat'`) or in another shape (`'reshaped'`).
 */
export type LayerOf<Name extends string, Axes extends readonly string[] | 'any', Gives extends Given> = Layer & {
  readonly [takes]?: readonly [Name, Axes, Gives]
}
type Given = readonly (number | 'last')[] | 'same' | 'flat' | readonly ['reshaped', Shape]

export type Steps = readonly ['steps', 'channels']
export type Image = readonly ['height', 'width', 'channels']
export type Volume = readonly ['depth', 'height', 'width', 'channels']

/** A type error that reads as a sentence: layers never have this property. */
export interface ShapeError<Message extends string> {
  readonly shapeError: Message
}

/** `unknown` where layers fit samples of a shape, or that cannot be told; else an error. */
export type Fits<Layers extends readonly unknown[], S extends Shape> = number extends S['length']
  ? unknown
  : Layers extends readonly [infer First, ...infer Rest]
    ? First extends { readonly [takes]?: infer Rule }
      ? Step<NonNullable<Rule>, S> extends infer Next
        ? Next extends Shape
          ? Fits<Rest, Next>
          : Next
        : never
      : unknown
    : unknown

/** The shape after a layer, or an error. */
type Step<Rule, S extends Shape> = Rule extends readonly [infer Name extends string, infer Axes, infer Gives]
  ? Axes extends readonly string[]
    ? Axes['length'] extends S['length']
      ? After<Name, Gives, S>
      : ShapeError<`nn.${Name} takes samples of shape [${Listed<Axes>}], but gets [${Listed<S>}].`>
    : After<Name, Gives, S>
  : Shape

type After<Name extends string, Gives, S extends Shape> = Gives extends 'same'
  ? S
  : Gives extends 'flat'
    ? readonly [Product<S>]
    : Gives extends readonly ['reshaped', infer To extends Shape]
      ? Reshaped<Name, To, S>
      : Gives extends readonly unknown[]
        ? { readonly [K in keyof Gives]: Gives[K] extends number ? Gives[K] : Last<S> }
        : Shape

type Reshaped<Name extends string, To extends Shape, S extends Shape> = number extends
  | To['length']
  | Product<S>
  | Product<To>
  ? To
  : Product<S> extends Product<To>
    ? To
    : ShapeError<`nn.${Name} to [${Listed<To>}] takes ${Product<To>} numbers, but gets [${Listed<S>}], which are ${Product<S>}.`>

type Last<S extends Shape> = S extends readonly [...unknown[], infer L extends number] ? L : number

/** `28, 28, 1`; a question mark where a number is not known. */
type Listed<S extends readonly (string | number)[]> = S extends readonly [
  infer First extends string | number,
  ...infer Rest extends readonly (string | number)[],
]
  ? `${number extends First ? '?' : First}${Rest extends readonly [] ? '' : ', '}${Listed<Rest>}`
  : ''

/** All numbers of a shape multiplied, digit by digit as on paper: no tuple grows longer than a few dozen. `number` where one is not known. */
export type Product<S extends Shape, Sum extends Digits = ['1']> = S extends readonly [
  infer First extends number,
  ...infer Rest extends Shape,
]
  ? number extends First
    ? number
    : `${First}` extends `${string}${'.' | '-' | 'e'}${string}`
      ? number
      : Product<Rest, Times<Sum, DigitsOf<`${First}`>>>
  : S extends readonly []
    ? NumberOf<Sum>
    : number

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
