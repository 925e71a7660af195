/** Stands in for `react-style-singleton`: writes nothing, because the CSP forbids injected style elements. */
export function styleSingleton(): () => null {
  return () => null;
}
