import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from './programs.ts';

/** A key and its certificate as PEM, and where they stand as files. */
export interface Certificate {
  key: string;
  certificate: string;
  keyFile: string;
  certificateFile: string;
}

/** A self-signed P-256 certificate for the name, valid for localhost and 127.0.0.1; it is its own authority. */
export function createCertificate(directory: string, name: string): Certificate {
  const keyFile = join(directory, `${name}.key`);
  const certificateFile = join(directory, `${name}.crt`);
  execFileSync(
    requireProgram('openssl'),
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'],
      ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', keyFile, '-out', certificateFile],
    ],
    { stdio: 'pipe' },
  );
  return {
    key: readFileSync(keyFile, 'utf8'),
    certificate: readFileSync(certificateFile, 'utf8'),
    keyFile,
    certificateFile,
  };
}
