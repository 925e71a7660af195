/**
 * The machine cannot run this part of the test bed (not root, a program is missing). The message is the sentence for the
 * person who started it; tests and `./test` print it as the reason for skipping.
 */
export class TestbedUnavailable extends Error {
  override name = 'TestbedUnavailable';
}
