// `@sallyport/store/secrets`: secrets that must be read again, encrypted field by field with keys that can be rotated.

export { withFields } from './connect.ts'
export { FieldFault } from './fault.ts'
export { type FieldKeys, fieldKeys, ringOf } from './keys.ts'
export { countByKey, type FieldClient, rotateColumn, type SealedColumn } from './rotate.ts'
export { type FieldPlace, keyOf, openField, sealField } from './sealed.ts'
