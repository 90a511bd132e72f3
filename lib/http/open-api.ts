import { applyDecorators, SetMetadata } from '@nestjs/common';

/** What `@nestjs/swagger` reads, by the names that its own decorators write; it need not be installed. */
const EXCLUDE_CONTROLLER = 'swagger/apiExcludeController';
const TAGS = 'swagger/apiUseTags';
const OPERATION = 'swagger/apiOperation';
const PARAMETERS = 'swagger/apiParameters';
const RESPONSES = 'swagger/apiResponse';

/** A part of an OpenAPI document. */
type OpenApiPart = Readonly<Record<string, unknown>>;

/** What is told of a route. */
export interface RouteDescription {
  readonly summary: string;
  /** What a request may say after `?`. */
  readonly query?: Readonly<Record<string, OpenApiPart>>;
  /** The schema of the body that a request may have. */
  readonly body?: OpenApiPart;
  readonly answers: Readonly<Record<number, string>>;
}

/** The routes of this class stand in the application's OpenAPI document, or do not. */
export const InOpenApiDocument = (documented: boolean): ClassDecorator =>
  documented ? SetMetadata(TAGS, ['session-security']) : SetMetadata(EXCLUDE_CONTROLLER, [true]);

/** What the OpenAPI document says of a route, if it is there. */
export const DescribedAs = ({ summary, query = {}, body, answers }: RouteDescription): MethodDecorator =>
  applyDecorators(
    SetMetadata(OPERATION, {
      summary,
      ...(body && { requestBody: { content: { 'application/json': { schema: body } } } }),
    }),
    SetMetadata(
      PARAMETERS,
      Object.entries(query).map(([name, schema]) => ({ in: 'query', name, required: false, schema })),
    ),
    SetMetadata(
      RESPONSES,
      Object.fromEntries(Object.entries(answers).map(([status, description]) => [status, { description }])),
    ),
  );
