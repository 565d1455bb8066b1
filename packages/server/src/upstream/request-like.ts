// Whether the beginning of a body could be read as the beginning of a request. An upstream that ignores a body, as some
// do on paths that expect none, takes what follows the head for the next request, and answers it to whoever comes next on
// the connection (the CL.0 and TE.0 classes of request smuggling).

// RFC 9112, section 3: method SP target. Parsers skip empty lines before it (section 2.2), and lenient ones take a tab.
const BEGINNING = /^[\r\n]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]/
// No method is longer; what has so many letters and no end is taken for one.
const LOOKED_AT = 64
const UNDECIDED = /^[\r\n]*[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/

/**
 * True where the bytes may begin a request: JSON, XML and multipart bodies don't.
 *
 * @param isWhole whether nothing of the body comes after these bytes
 */
export function isRequestLike(beginning: Buffer, isWhole: boolean): boolean {
  const text = beginning.toString('latin1', 0, LOOKED_AT)
  if (BEGINNING.test(text)) return true
  return UNDECIDED.test(text) && !(isWhole && beginning.length <= LOOKED_AT)
}
