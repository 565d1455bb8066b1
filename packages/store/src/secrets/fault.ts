// What can go wrong with an encrypted field. The message holds neither a key nor what is encrypted.

/** A failure that an operator can mend. */
export class FieldFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FieldFault'
  }
}
