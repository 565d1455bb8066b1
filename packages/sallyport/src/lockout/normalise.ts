// One name, however it is spelt. Guesses are counted by what this returns, and a sign-in that finds its account by the
// same function leaves no second spelling with a budget of its own.

/** Where a domain may not be taken for a part of a URL. */
const NO_HOST = /[/\\?#:@[\]%\s]/
/** Control characters, zero-width and other format characters, variation selectors with the marks below. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
// Databases' usual collations find "josé" by "jose": were they two names here, each accent would be a budget.
const MARKS = /\p{M}/gu

/**
 * Normalises a name that somebody signs in with: NFKC (UAX 15), letter case folded, accents and what can't be seen taken
 * out, spaces round it trimmed, the domain of a mail address as IDNA has it (UTS 46). Total; linear in the name's length.
 *
 * @example
 * normaliseName(' José@BÜCHER.example ') // 'jose@xn--bcher-kva.example'
 */
export function normaliseName(name: string): string {
  const visible = name.toWellFormed().normalize('NFKC').replace(INVISIBLE, '').trim()
  const at = visible.lastIndexOf('@')
  if (at < 0) return folded(visible)
  return `${folded(visible.slice(0, at).trim())}@${domainOf(visible.slice(at + 1).trim())}`
}

// Upper case first: it takes "ß" to "SS" and "ı" to "I", as collations do. Folding can make decomposable letters again.
function folded(text: string): string {
  return text.toUpperCase().toLowerCase().normalize('NFKD').replace(MARKS, '').normalize('NFKC')
}

function domainOf(domain: string): string {
  if (domain === '' || NO_HOST.test(domain)) return folded(domain)
  try {
    return new URL(`http://${domain}`).hostname.replace(/\.$/, '')
  } catch {
    return folded(domain)
  }
}
