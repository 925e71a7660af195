import { type Capability, capabilities, type User } from '@evenkeel/contract';

const reading: readonly Capability[] = [
  'system:read',
  'host:read',
  'container:read',
  'container:logs',
  'update:read',
  'operation:read',
  'registry:read',
  'settings:read',
];
const operating: readonly Capability[] = [
  ...reading,
  'container:write',
  'update:check',
  'update:run',
  'operation:cancel',
];

/** Roles are data that grant capabilities; code never asks for a role. */
const roles: Readonly<Record<User['role'], readonly Capability[]>> = {
  owner: capabilities,
  admin: capabilities,
  operator: operating,
  viewer: reading,
};

export function capabilitiesOf(role: User['role']): ReadonlySet<Capability> {
  return new Set(roles[role]);
}
