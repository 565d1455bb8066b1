// What a command is: its words for the help, its options, and what it does. The command line, the environment and the
// help are all read from these declarations.

/** Where a command speaks, and where it is. */
export interface Terminal {
  /** Writes one line or more to the standard output. */
  readonly out: (text: string) => void
  /** Writes one line or more to the standard error. */
  readonly err: (text: string) => void
  /** Writes a line over the last one, where somebody looks on; `''` takes it away. */
  readonly progress?: (line: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working directory. */
  readonly directory: string
}

/** One option: a flag, or, where `value` is given, a text. */
export interface Option {
  readonly name: string
  /** What its value is called in the help: `PORT`. */
  readonly value?: string
  readonly doc: string
  /** What holds where it is not given; for the help, and for the command. */
  readonly fallback?: string
  /** True where it may be given several times; in the environment its values stand on lines. */
  readonly many?: boolean
  /** True where the environment can't set it. */
  readonly noEnvironment?: boolean
}

/** A command's words, read from the command line and the environment. */
export interface Invocation {
  /** A text option, with its fallback. */
  text(name: string): string | undefined
  /** Every value of an option that may be given several times. */
  list(name: string): readonly string[]
  flag(name: string): boolean
  /** True where the line or the environment says it, rather than the fallback. */
  given(name: string): boolean
  /** How an option is best named in an error: `--port` or `SALLYPORT_PORT`. */
  nameOf(option: string): string
  readonly operands: readonly string[]
}

/** A command. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** What it does, for its own help. */
  readonly detail: string
  readonly operand?: string
  readonly options: readonly Option[]
  /** Runs it and gives the exit code. */
  run(invocation: Invocation, terminal: Terminal): Promise<number>
}

/** The environment variable of an option: `SALLYPORT_UPSTREAM_PORT`. */
export function variableOf(option: Pick<Option, 'name'>): string {
  return `SALLYPORT_${option.name.toUpperCase().replaceAll('-', '_')}`
}
