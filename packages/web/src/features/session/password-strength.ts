/** A rough measure of a password: 0 (empty) to 4 (strong). A hint while typing; the server has the last word. */
export function passwordStrength(password: string): 0 | 1 | 2 | 3 | 4 {
  if (password === '') return 0;
  const distinct = new Set(password).size;
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((pattern) => pattern.test(password)).length;
  const bits = Math.min(password.length, distinct * 2) * (classes === 1 ? 3.5 : 3 + classes);
  if (password.length < 8 || bits < 36) return 1;
  if (bits < 54) return 2;
  if (bits < 76) return 3;
  return 4;
}
