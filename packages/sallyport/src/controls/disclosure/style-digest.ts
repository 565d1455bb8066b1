// The digest of the page's style, for its Content-Security-Policy. It stands apart from the style, so that a guard need
// not carry that; a test holds the two together.

/** A hash source (CSP Level 3, section 2.3.1). */
export const STYLE_SOURCE = "'sha256-JIND/BEeRGfroYNm1QKCbD3/Ixxa9r4fi2g92/g7wDQ='"
