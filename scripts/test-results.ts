/** Counts of tests. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The part of vitest's JSON report that we read. */
interface VitestReport {
  success: boolean;
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults?: readonly {
    name: string;
    status: string;
    message: string;
    assertionResults: readonly { status: string; fullName: string; failureMessages: readonly string[] | null }[];
  }[];
}

const LINES_PER_FAILURE = 12;

/**
 * Counts of one vitest run. A run that ended badly without a failed test (a file that does not load, no file at all, no
 * report) counts as one failure, so that it can never look like success.
 */
export function countVitest(report: string | undefined, exitCode: number): Counts {
  const read = report === undefined ? undefined : (JSON.parse(report) as VitestReport);
  const counts = {
    passed: read?.numPassedTests ?? 0,
    failed: read?.numFailedTests ?? 0,
    skipped: (read?.numPendingTests ?? 0) + (read?.numTodoTests ?? 0),
  };
  const endedBadly = exitCode !== 0 || read?.success !== true || counts.passed + counts.skipped === 0;
  return endedBadly && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/**
 * What failed in one vitest run: the name of the test, or of the file that did not load, and the first lines of why.
 * The end of a long output names it again, where a reader looks first.
 */
export function failuresOf(report: string | undefined): string[] {
  return filesOf(report).flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0 && status === 'failed') return [withReason(name, message)];
    return failed.map(({ fullName, failureMessages }) => withReason(fullName, failureMessages?.join('\n') ?? ''));
  });
}

/** What passed only when it was tried again, with why the first try failed. */
export function secondTriesOf(report: string | undefined): string[] {
  return filesOf(report).flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ status, fullName, failureMessages }) =>
      status === 'passed' && failureMessages?.length ? [withReason(fullName, failureMessages.join('\n'))] : [],
    ),
  );
}

function filesOf(report: string | undefined): NonNullable<VitestReport['testResults']> {
  return (report === undefined ? undefined : (JSON.parse(report) as VitestReport))?.testResults ?? [];
}

function withReason(title: string, reason: string): string {
  const lines = reason.split('\n').slice(0, LINES_PER_FAILURE);
  return [title, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** The sum of several counts. */
export function sumCounts(all: readonly Counts[]): Counts {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/** The closing line: "12 passed, 0 failed", with ", 3 skipped" when there are any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
