/** What a check run may be given: the limits of the Checks API, each answered with 422. */
import { z } from "zod";
import { checkConclusions } from "../entities.ts";

const time = z.iso.datetime({ offset: true });
const mostText = 65_535;
const mostAnnotationText = 64 * 1024;

export const annotationSchema = z.object({
  path: z.string().min(1),
  start_line: z.number().int().min(1),
  end_line: z.number().int().min(1),
  start_column: z.number().int().optional(),
  end_column: z.number().int().optional(),
  annotation_level: z.enum(["notice", "warning", "failure"]),
  message: z.string().min(1).max(mostAnnotationText),
  title: z.string().max(255).optional(),
  raw_details: z.string().max(mostAnnotationText).optional(),
});

const output = z.object({
  title: z.string().optional(),
  summary: z.string().max(mostText),
  text: z.string().max(mostText).optional(),
  annotations: z.array(annotationSchema).max(50).optional(),
  images: z.array(z.object({ alt: z.string(), image_url: z.url(), caption: z.string().optional() })).optional(),
});

const action = z.object({
  label: z.string().min(1).max(20),
  description: z.string().min(1).max(40),
  identifier: z.string().min(1).max(20),
});

export const checkEdit = z.object({
  name: z.string().min(1).optional(),
  details_url: z.url({ protocol: /^https?$/ }).optional(),
  external_id: z.string().optional(),
  status: z.enum(["queued", "in_progress", "completed"]).optional(),
  started_at: time.optional(),
  // Only GitHub itself makes a check stale.
  conclusion: z.enum(checkConclusions).exclude(["stale"]).optional(),
  completed_at: time.optional(),
  output: output.optional(),
  actions: z.array(action).max(3).optional(),
});

export const newCheck = checkEdit
  .extend({
    name: z.string().min(1),
    head_sha: z.string().min(1),
    output: output.extend({ title: z.string() }).optional(),
  })
  .refine((body) => body.status !== "completed" || body.conclusion !== undefined, {
    path: ["conclusion"],
    message: "is needed where the status is completed",
  });
