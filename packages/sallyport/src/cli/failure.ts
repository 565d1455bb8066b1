// A failure that the person at the terminal can mend: it ends the command with its message alone, and exit code 2.

/** What went wrong, in one line for each thing: what, where, received, how to mend it. */
export class Failure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
  }
}
