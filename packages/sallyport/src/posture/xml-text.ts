// Text in XML, as JUnit's reports are.

/** Escapes text for content and attributes. XML 1.0, section 2.2: other control characters have no form at all. */
export function xml(text: string): string {
  return text
    .replace(
      /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '\ufffd',
    )
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
