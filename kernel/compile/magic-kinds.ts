/** The magics that there are. */

interface MagicKind {
  /** Written in front of a line, or in front of a cell. */
  readonly forms: readonly ('%' | '%%' | '!')[]
  readonly usage: string
  readonly summary: string
  /** Its argument is TypeScript, which is checked and completed. */
  readonly takesCode?: boolean
  /** Nothing else may stand in the cell. */
  readonly isAlone?: boolean
}

export const magicKinds: Readonly<Record<string, MagicKind>> = {
  bash: { forms: ['%%'], usage: '%%bash', summary: 'runs the cell as a shell script' },
  env: { forms: ['%'], usage: '%env [NAME[=VALUE]]', summary: 'shows or sets environment variables of the session' },
  help: { forms: ['%'], usage: '%help', summary: 'shows this list' },
  load: { forms: ['%'], usage: '%load FILE', summary: "puts a file's text in the place of the cell", isAlone: true },
  npm: { forms: ['%'], usage: '%npm install NAME…', summary: "installs packages into the notebook's folder" },
  reset: { forms: ['%'], usage: '%reset', summary: 'forgets all names of the notebook', isAlone: true },
  shell: { forms: ['!'], usage: '!COMMAND', summary: 'runs a command of the shell' },
  time: { forms: ['%', '%%'], usage: '%time CODE', summary: 'runs code and says how long it took', takesCode: true },
  timeit: {
    forms: ['%', '%%'],
    usage: '%timeit CODE',
    summary: 'runs code many times and says how long one run takes',
    takesCode: true,
  },
  who: { forms: ['%'], usage: '%who', summary: 'lists the names of the notebook' },
}

/** What may be typed at the beginning of a line: `%time`, or of a cell: `%%time`. */
export const magicWords: readonly string[] = Object.entries(magicKinds).flatMap(([name, { forms }]) =>
  forms.filter((form) => form !== '!').map((form) => form + name),
)
