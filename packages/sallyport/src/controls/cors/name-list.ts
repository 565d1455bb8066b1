// Lists of names compared as sets: their order says nothing (Fetch standard, section 3.3.3).

/** True where both lists hold the same names; methods differ by case, header names do not. */
export function sameNames(a: string, b: string, ignoresCase: boolean): boolean {
  const members = (list: string) =>
    new Set(
      list
        .split(',')
        .map((each) => (ignoresCase ? each.trim().toLowerCase() : each.trim()))
        .filter((each) => each !== ''),
    )
  const [one, other] = [members(a), members(b)]
  return one.size === other.size && [...one].every((each) => other.has(each))
}
