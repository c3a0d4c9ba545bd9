/** Throttling: rate limits by policy, counted in Redis, told to the client, insured while Redis is away; and admission. */
export { ThrottlingModule } from './throttling.module';
export { RateLimitGuard } from './rate-limit.guard';
export { type NamedPolicy, RateLimit } from './rate-limit.decorator';
export { type Check, type Measure, POLICIES, type Policy, POLICY_NAMES, type PolicyName, type Verdict } from './policy';
export { RateLimitReader, type RateLimitUse } from './rate-limit-reader';
export { RedisThrottlerStorage } from './redis-throttler.storage';
export { Replicas } from './replicas';
export { type Admission, Admit } from './admission/admission.decorator';
export { AdmissionGuard } from './admission/admission.guard';
