import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import { Passive, SessionSecurityHealth } from 'nestjs-session-security';

/** In a module that imports `TerminusModule`. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly sessions: SessionSecurityHealth,
  ) {}

  @Passive()
  @HealthCheck()
  @Get()
  check() {
    return this.checks.check([() => this.sessions.isHealthy()]);
  }
}
