import { Injectable } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import {
  type ClientTagOptions,
  SessionSecurityOptions,
  type SessionSecurityRequest,
} from '../options/index.js';
import { ClientFiles } from './client-files.js';
import { PingAnswer } from './ping-answer.js';
import { addressOf } from './route-address.js';
import { SessionEnforcer } from './session-enforcer.js';
import { SessionPlatform } from './session-platform.js';

/** Writes the script tag of the client. */
@Injectable()
export class ClientTag {
  constructor(
    private readonly files: ClientFiles,
    private readonly platform: SessionPlatform,
    private readonly enforcer: SessionEnforcer,
    private readonly answer: PingAnswer,
    private readonly applicationConfig: ApplicationConfig,
    private readonly options: SessionSecurityOptions,
  ) {}

  /** The tag for a page that is rendered for this request; it names the page's owner. */
  write(request: SessionSecurityRequest, { nonce, guard, drafts }: ClientTagOptions = {}): string {
    const version = this.files.find('client.js')?.hash;
    const { sessionId } = this.enforcer.stateOf(request);
    const owner = sessionId === undefined ? null : this.answer.ownerOf(sessionId);
    const attributes = {
      src: `${this.addressFor(request)}${version === undefined ? '' : `?v=${version}`}`,
      ...(owner === null ? {} : { 'data-owner': owner }),
      ...(nonce === undefined ? {} : { nonce }),
      ...(guard ? { 'data-session-guard': '' } : {}),
      ...(drafts ? { 'data-session-draft': drafts === 'automatic' ? drafts : '' } : {}),
    };
    const written = Object.entries(attributes).map(([name, value]) => `${name}="${escapeAttribute(value)}"`);
    return `<script ${written.join(' ')} defer></script>`;
  }

  /** Where browsers find the script. */
  addressFor(request: SessionSecurityRequest): string {
    const mount = this.platform.mountOf(request);
    return `${mount}${addressOf(this.applicationConfig, `${this.options.path}/client.js`)}`;
  }
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
