/** What the server says of completions and calls, as Jupyter's clients show it. */

export interface Completion {
  readonly text: string
  readonly kind: string
  readonly signature?: string
  readonly documentation?: string
}

export interface CompletionItem {
  readonly label: string
  readonly kind?: number
  readonly detail?: string
  readonly sortText?: string
  readonly filterText?: string
  readonly insertText?: string
  readonly documentation?: string | { readonly value: string }
}

export interface SignatureHelp {
  readonly activeSignature?: number
  readonly activeParameter?: number
  readonly signatures: readonly {
    readonly label: string
    readonly documentation?: string | { readonly value: string }
    readonly activeParameter?: number
    readonly parameters?: readonly {
      readonly label: string | readonly [number, number]
      readonly documentation?: string | { readonly value: string }
    }[]
  }[]
}

/** LSP's numbers of completion kinds, in the words of Jupyter's clients. */
const kinds = [
  'text text method function constructor field variable class interface module property unit value enum keyword snippet',
  'color file reference folder enumMember constant struct event operator typeParameter',
]
  .join(' ')
  .split(' ')

export function completionOf(item: CompletionItem): Completion {
  return {
    text: item.insertText ?? item.label,
    kind: kinds[item.kind ?? 0] ?? 'text',
    ...(item.detail === undefined ? {} : { signature: item.detail }),
    ...(item.documentation === undefined ? {} : { documentation: textOf(item.documentation) }),
  }
}

export function signatureText({ signatures, activeSignature, activeParameter }: SignatureHelp): string | undefined {
  const signature = signatures[activeSignature ?? 0]
  if (signature === undefined) return undefined
  const parameter = signature.parameters?.[signature.activeParameter ?? activeParameter ?? 0]
  const documented =
    parameter?.documentation === undefined
      ? ''
      : `\n\n\`${String(parameter.label)}\` ${textOf(parameter.documentation)}`
  const more = signature.documentation === undefined ? '' : `\n\n${textOf(signature.documentation)}`
  return `\`\`\`typescript\n${signature.label}\n\`\`\`${documented}${more}`
}

function textOf(text: string | { readonly value: string }): string {
  return typeof text === 'string' ? text : text.value
}
