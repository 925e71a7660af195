import { type LookupAddress, lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where an address stands. `forbidden` is never contacted: metadata services, link-local, unspecified, multicast. */
export type AddressClass = 'public' | 'private' | 'loopback' | 'forbidden';

const forbidden = new BlockList();
forbidden.addSubnet('0.0.0.0', 8);
forbidden.addSubnet('169.254.0.0', 16);
forbidden.addAddress('100.100.100.200');
forbidden.addSubnet('224.0.0.0', 4);
forbidden.addSubnet('240.0.0.0', 4);
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');
const inner = new BlockList();
inner.addSubnet('10.0.0.0', 8);
inner.addSubnet('172.16.0.0', 12);
inner.addSubnet('192.168.0.0', 16);
inner.addSubnet('100.64.0.0', 10);
inner.addSubnet('fc00::', 7, 'ipv6');
inner.addSubnet('fec0::', 10, 'ipv6');

export function classifyAddress(address: string): AddressClass {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return 'forbidden';
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  const embedded = family === 6 ? embeddedIpv4(bare) : undefined;
  if (embedded !== undefined) return classifyAddress(embedded);
  if (forbidden.check(bare, kind)) return 'forbidden';
  if (loopback.check(bare, kind)) return 'loopback';
  return inner.check(bare, kind) ? 'private' : 'public';
}

/** The IPv4 address inside a mapped (`::ffff:…`) or NAT64 (`64:ff9b::…`) one. */
function embeddedIpv4(address: string): string | undefined {
  const normal = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const hex = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(normal);
  if (!hex) return undefined;
  const high = Number.parseInt(hex[1] ?? '0', 16);
  const low = Number.parseInt(hex[2] ?? '0', 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

export type MayConnect = (kind: AddressClass) => boolean;

/** Why a connection was refused before it was made. */
export class AddressRefused extends Error {
  readonly kind: AddressClass;

  constructor(host: string, kind: AddressClass) {
    super(
      `${host} leads to a ${kind === 'forbidden' ? 'link-local, metadata or unusable' : kind} address, which is not allowed here`,
    );
    this.name = 'AddressRefused';
    this.kind = kind;
  }
}

/**
 * A resolver that looks at every address and hands out only those that may be connected to; the socket uses exactly these.
 * `note` is told the classes of the addresses that were handed out.
 */
export function guardedLookup(
  mayConnect: MayConnect,
  note: (hostname: string, kinds: readonly AddressClass[]) => void,
  resolve: LookupFunction = lookUp as LookupFunction,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const addresses = found as LookupAddress[];
      const kinds = addresses.map(({ address }) => classifyAddress(address));
      const refused = kinds.find((kind) => !mayConnect(kind));
      const [first] = addresses;
      if (refused !== undefined || first === undefined) {
        return callback(new AddressRefused(hostname, refused ?? 'forbidden'), '', 0);
      }
      note(hostname, kinds);
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

/** For hosts that are an address already: no resolver is asked for those. Throws `AddressRefused`; undefined for names. */
export function guardLiteral(hostname: string, mayConnect: MayConnect): AddressClass | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) === 0) return undefined;
  const kind = classifyAddress(bare);
  if (!mayConnect(kind)) throw new AddressRefused(hostname, kind);
  return kind;
}

export function isLoopbackName(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    bare === 'localhost' || bare.endsWith('.localhost') || (isIP(bare) !== 0 && classifyAddress(bare) === 'loopback')
  );
}
