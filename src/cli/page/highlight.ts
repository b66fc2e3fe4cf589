/**
 * TypeScript source as coloured HTML: a scanner of comments, texts, numbers and words, no parser. It never loses or
 * reorders a character; where it is unsure (a regular expression against a division) it leaves the text plain.
 */
import { escapeHtml } from '../../core/html.js'

const keywords = new Set(
  `abstract as asserts async await break case catch class const continue debugger declare default delete do else enum export
  extends finally for from function get if implements import in infer instanceof interface is keyof let namespace new of
  override private protected public readonly return satisfies set static super switch this throw try type typeof unique using
  var void while with yield`.split(/\s+/),
)
const literals = new Set(['true', 'false', 'null', 'undefined', 'NaN', 'Infinity'])

const token =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<text>'(?:\\[\s\S]|[^'\\\n])*'?|"(?:\\[\s\S]|[^"\\\n])*"?)|(?<template>`)|(?<number>(?<![\p{ID_Continue}$])(?:0[xXbBoO][\da-fA-F_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?))|(?<word>[\p{ID_Start}$_][\p{ID_Continue}$]*)/gu

/** The source with `<span class="…">` around what has a colour. */
export function highlight(source: string): string {
  return scan(source, 0, false).html
}

/** Scans until the end, or, inside `${…}` of a template, until the brace that closes it. */
function scan(source: string, start: number, inTemplate: boolean): { html: string; end: number } {
  let html = ''
  let position = start
  let depth = 0
  while (position < source.length) {
    token.lastIndex = position
    const match = token.exec(source)
    const stop = match?.index ?? source.length
    for (const { index, 0: brace } of inTemplate ? source.slice(position, stop).matchAll(/[{}]/g) : []) {
      if (brace === '{') depth++
      else if (depth-- === 0) {
        const end = position + index
        return { html: html + escapeHtml(source.slice(position, end)), end }
      }
    }
    html += escapeHtml(source.slice(position, stop))
    if (match === null) return { html, end: source.length }
    const { comment, text, template, number, word } = match.groups!
    position = stop + match[0].length
    if (template !== undefined) {
      const scanned = scanTemplate(source, position)
      html += scanned.html
      position = scanned.end
    } else if (comment !== undefined) html += mark('comment', comment)
    else if (text !== undefined) html += mark('text', text)
    else if (number !== undefined) html += mark('number', number)
    else html += mark(kindOf(word!, source, stop, position), word!)
  }
  return { html, end: source.length }
}

/** A template from behind its opening backtick; `${…}` inside it is code again. */
function scanTemplate(source: string, start: number): { html: string; end: number } {
  let html = ''
  let position = start
  let from = start - 1
  while (position < source.length) {
    const character = source[position]
    if (character === '\\') position += 2
    else if (character === '`') {
      return { html: html + mark('text', source.slice(from, position + 1)), end: position + 1 }
    } else if (character === '$' && source[position + 1] === '{') {
      html += mark('text', source.slice(from, position + 2))
      const inner = scan(source, position + 2, true)
      html += inner.html
      from = position = inner.end
    } else position++
  }
  return { html: html + mark('text', source.slice(from)), end: source.length }
}

function kindOf(word: string, source: string, start: number, end: number): string {
  const isMember = source[start - 1] === '.' && source[start - 2] !== '.'
  if (!isMember && keywords.has(word)) return 'keyword'
  if (!isMember && literals.has(word)) return 'number'
  if (source[end] === '(') return 'call'
  return /^\p{Lu}/u.test(word) ? 'type' : ''
}

function mark(kind: string, text: string): string {
  if (kind === '' || text === '') return escapeHtml(text)
  return `<span class="s-${kind}">${escapeHtml(text)}</span>`
}
