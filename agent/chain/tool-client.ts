/** What a tool answered: the object where it succeeded, the text in any case. */
export interface ToolResult {
  readonly structured: Readonly<Record<string, unknown>> | null;
  readonly text: string;
  readonly isError: boolean;
}

/** A tool as the server lists it: what a model needs to know to call it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly readOnly: boolean;
}

/** The server's tools as the chain sees them. A tool's failure is a result; a broken connection throws. */
export interface ToolClient {
  tools(): Promise<readonly ToolSpec[]>;
  call(name: string, args: Readonly<Record<string, unknown>>, abort?: AbortSignal): Promise<ToolResult>;
  close(): Promise<void>;
}

/** One call as the incident's record keeps it. */
export interface ToolCallRecord {
  readonly tool: string;
  /** As they were, but for `known`: the names of the steps whose answers were given. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  readonly bytes: number;
  /** Answered from an equal call of the same step, without asking again. */
  readonly cached: boolean;
}
