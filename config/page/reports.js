// How each report is shown: which numbers lead, which charts fit its question, which way is good. Data, read by other modules.

/**
 * A chart: `kind` is a key of KINDS in charts.js or of a view in panels.js.
 *   trend   over time: `metrics`, or one `metric` per member of a dimension `by`; `stacked` columns instead of lines
 *   bars    members of a dimension: `metrics` beside each other; `goal`: a metric drawn as a mark on each bar
 *   spread  average, p50, p90 and p95 of a duration per member
 *   funnel  deals by stage with the probability to win
 *   steps   metrics that become fewer, one after the other
 *   months  metrics of money by month, from some months before to some months after today
 *   progress, findings, deals   see panels.js
 * `by` '*' is the grouping that was chosen. A report's own `by` is the grouping it begins with, where that is not its first.
 */
export const REPORTS = {
  pipeline: {
    by: 'stage',
    lead: ['open_deals', 'open_amount', 'entered', 'left', 'stage_duration.average'],
    charts: [
      {
        kind: 'funnel',
        title: 'Where deals stand',
        metric: 'open_deals',
        amount: 'open_amount',
        chance: 'win_probability',
        by: 'stage',
        wide: true,
      },
      { kind: 'spread', title: 'How long deals stay in a stage', metric: 'stage_duration', by: 'stage' },
      { kind: 'trend', title: 'Stages entered and left', metrics: ['entered', 'left'] },
    ],
  },
  profitability: {
    lead: ['revenue', 'profit', 'margin', 'average_deal_size', 'cost'],
    charts: [
      { kind: 'bars', title: 'Revenue and profit', metrics: ['revenue', 'profit'], by: '*' },
      { kind: 'bars', title: 'Margin', metrics: ['margin'], by: '*' },
      { kind: 'trend', title: 'Revenue, cost and profit', metrics: ['revenue', 'cost', 'profit'], wide: true },
    ],
  },
  sales_cycle: {
    lead: ['sales_cycle.average', 'sales_cycle.p50', 'sales_cycle.p90', 'won_cycle.average', 'stage_duration.average'],
    charts: [
      { kind: 'spread', title: 'From first contact to decision', metric: 'sales_cycle', by: '*' },
      { kind: 'spread', title: 'Time in each stage', metric: 'stage_duration', by: 'stage' },
      { kind: 'trend', title: 'Sales cycle, all and won', metrics: ['sales_cycle', 'won_cycle'], wide: true },
    ],
  },
  sales_performance: {
    lead: ['revenue', 'won_deals', 'close_rate', 'average_deal_size', 'sales_cycle.p50'],
    charts: [
      { kind: 'bars', title: 'Revenue against goal', metrics: ['revenue'], by: '*', goal: 'goal' },
      { kind: 'bars', title: 'Close rate', metrics: ['close_rate'], by: '*' },
      { kind: 'trend', title: 'Revenue', metric: 'revenue', by: '*', stacked: true },
      { kind: 'trend', title: 'Close rate over time', metrics: ['close_rate'] },
    ],
  },
  forecast: {
    lead: ['won', 'forecast', 'commit', 'best_case', 'goal'],
    charts: [
      {
        kind: 'months',
        title: 'Won, commit, forecast and best case',
        metrics: ['won', 'commit', 'forecast', 'best_case'],
        goal: 'goal',
        back: 3,
        ahead: 6,
        wide: true,
      },
      { kind: 'bars', title: 'Forecast against goal by owner', metrics: ['won', 'forecast', 'best_case'], by: 'owner', goal: 'goal' },
      { kind: 'deals', title: 'Open deals that weigh most' },
    ],
  },
  conversion: {
    lead: ['leads', 'converted_leads', 'conversion_rate', 'days_to_convert.p50', 'lead_revenue'],
    charts: [
      { kind: 'trend', title: 'Conversion rate over time', metric: 'conversion_rate', by: '*', wide: true },
      { kind: 'bars', title: 'Leads and customers', metrics: ['leads', 'converted_leads'], by: '*' },
      { kind: 'bars', title: 'Revenue from leads', metrics: ['lead_revenue'], by: '*' },
    ],
  },
  goals: {
    lead: [],
    charts: [{ kind: 'progress', title: 'Progress against expected progress', wide: true }],
  },
  leads: {
    lead: ['leads', 'qualified_leads', 'converted_leads', 'lead_response_time.p50', 'untouched_leads'],
    charts: [
      { kind: 'trend', title: 'Leads', metric: 'leads', by: 'source', stacked: true, wide: true },
      { kind: 'bars', title: 'Leads, qualified, converted', metrics: ['leads', 'qualified_leads', 'converted_leads'], by: '*' },
      { kind: 'spread', title: 'Time to the first touch', metric: 'lead_response_time', by: '*' },
    ],
  },
  lost_deals: {
    lead: ['lost_deals', 'lost_amount'],
    charts: [
      { kind: 'bars', title: 'Why deals are lost', metrics: ['lost_deals'], by: 'loss_reason' },
      { kind: 'bars', title: 'What was lost to whom', metrics: ['lost_amount'], by: 'competitor' },
      { kind: 'trend', title: 'Lost deals by reason', metric: 'lost_deals', by: 'loss_reason', stacked: true },
      { kind: 'bars', title: 'The stage at which they were lost', metrics: ['lost_deals'], by: 'stage' },
    ],
  },
  sales_activity: {
    lead: ['activities', 'activities_due', 'sales_calls', 'sales_calls_per_opportunity'],
    charts: [
      { kind: 'trend', title: 'Activities', metric: 'activities', by: 'activity', stacked: true, wide: true },
      { kind: 'bars', title: 'Done and due', metrics: ['activities', 'activities_due'], by: '*' },
      { kind: 'bars', title: 'Sales calls per opportunity', metrics: ['sales_calls_per_opportunity'], by: 'owner' },
    ],
  },
  service: {
    lead: ['same_day_rate', 'sla_compliance', 'cases_handled', 'open_cases', 'response_time.p50', 'customer_satisfaction'],
    charts: [
      { kind: 'trend', title: 'Same-day rate and service level', metrics: ['same_day_rate', 'sla_compliance'] },
      { kind: 'trend', title: 'Cases opened, handled and open', metrics: ['cases_opened', 'cases_handled', 'open_cases'] },
      { kind: 'spread', title: 'Resolution time', metric: 'resolution_time', by: '*' },
      { kind: 'bars', title: 'Same-day rate', metrics: ['same_day_rate'], by: '*' },
    ],
  },
  calls: {
    lead: ['calls', 'lost_call_rate', 'speed_of_answer.p50', 'call_handling_time.average', 'customer_callbacks'],
    charts: [
      { kind: 'bars', title: 'Calls by hour of day', metrics: ['calls'], by: 'hour', upright: true },
      { kind: 'trend', title: 'Lost calls', metrics: ['lost_call_rate'] },
      { kind: 'spread', title: 'Handling time', metric: 'call_handling_time', by: 'owner' },
      { kind: 'spread', title: 'Time until somebody answers', metric: 'speed_of_answer', by: '*' },
    ],
  },
  campaigns: {
    lead: ['campaign_revenue', 'campaign_cost', 'campaign_roi', 'campaign_responses', 'new_customers_by_campaign'],
    charts: [
      { kind: 'bars', title: 'Revenue and cost', metrics: ['campaign_revenue', 'campaign_cost'], by: 'campaign' },
      { kind: 'bars', title: 'Return on investment', metrics: ['campaign_roi'], by: 'campaign' },
      { kind: 'trend', title: 'Responses', metric: 'campaign_responses', by: 'campaign', stacked: true, wide: true },
    ],
  },
  email: {
    lead: ['emails_sent', 'email_open_rate', 'email_click_rate', 'email_reply_rate', 'subscribers'],
    charts: [
      { kind: 'steps', title: 'From sent to replied', metrics: ['emails_sent', 'emails_opened', 'emails_clicked', 'emails_replied'] },
      {
        kind: 'trend',
        title: 'Rates over time',
        metrics: ['email_open_rate', 'email_click_rate', 'email_reply_rate', 'email_bounce_rate'],
      },
      { kind: 'bars', title: 'Open and click rate', metrics: ['email_open_rate', 'email_click_rate'], by: '*' },
      { kind: 'trend', title: 'Subscribers', metrics: ['subscribers'] },
    ],
  },
  web: {
    lead: ['visits', 'page_views', 'web_goal_rate', 'time_per_visit'],
    charts: [
      { kind: 'trend', title: 'Visits and page views', metrics: ['visits', 'page_views'], wide: true },
      { kind: 'bars', title: 'Visits with a goal', metrics: ['web_goal_rate'], by: '*' },
      { kind: 'bars', title: 'Visits', metrics: ['visits'], by: '*' },
    ],
  },
  customers: {
    lead: ['new_customers', 'retention_rate', 'customer_lifetime_value', 'churned', 'renewal_rate'],
    charts: [
      { kind: 'trend', title: 'New and churned customers', metrics: ['new_customers', 'churned'] },
      { kind: 'trend', title: 'Retention rate', metrics: ['retention_rate'], unit: 'month' },
      { kind: 'bars', title: 'New customers', metrics: ['new_customers'], by: '*' },
      { kind: 'bars', title: 'Lifetime value', metrics: ['customer_lifetime_value'], by: '*' },
    ],
  },
  adoption: {
    lead: ['active_users', 'adoption_rate', 'records', 'activities'],
    charts: [
      { kind: 'trend', title: 'Active users and all users', metrics: ['active_users', 'users'] },
      { kind: 'trend', title: 'Adoption', metrics: ['adoption_rate'] },
      { kind: 'trend', title: 'Activities', metric: 'activities', by: 'activity', stacked: true, wide: true },
    ],
  },
  audit: {
    lead: ['quality', 'records', 'duplicate_contacts', 'missing_values', 'overdue_deals', 'stale_deals'],
    charts: [
      { kind: 'findings', title: 'Findings', wide: true },
      { kind: 'bars', title: 'Missing values by attribute', metrics: ['missing_values'], by: 'attribute' },
      { kind: 'bars', title: 'Quality by owner', metrics: ['quality'], by: 'owner' },
    ],
  },
};

/** Findings of the audit, the grave ones first, and what each means. */
export const FINDINGS = [
  ['impossible_order', 'won, lost or resolved before they were created; links that were cut'],
  ['unknown_references', 'ids that others refer to and that do not exist'],
  ['duplicate_contacts', 'contacts beyond the first with the same e-mail or phone'],
  ['double_submissions', 'created within ten minutes of another with the same e-mail'],
  ['missing_values', 'attributes that the settings expect'],
  ['unlisted_values', 'values outside the tenant’s lists'],
  ['overdue_deals', 'open, expected to close before today'],
  ['stale_deals', 'open, without an event of their own for long'],
  ['rejected_events', 'events that could not be read or were not valid'],
  ['duplicate_events', 'events that came more than once; harmless'],
];

/** A report of the user's own: the first columns lead; its first metric over time and by the grouping. */
function presentationOf(columns) {
  const [first, second] = columns;
  return {
    lead: columns.slice(0, 5),
    charts: first
      ? [
          { kind: 'trend', title: 'Over time', metrics: [first] },
          { kind: 'bars', title: 'By group', metrics: second ? [first, second] : [first], by: '*' },
        ]
      : [],
  };
}

/** {lead, charts} of a report by name; `columns` are those of a report that is not listed here. */
export const presentation = (report, columns) => REPORTS[report] ?? presentationOf(columns);

export const VIEWS = ['business performance', 'user adoption', 'customer perception'];

const LESS_IS_BETTER = new Set(
  (
    'stage_duration sales_cycle won_cycle days_to_convert lead_response_time untouched_leads lost_deals lost_amount cost campaign_cost ' +
    'resolution_time resolution_business_time response_time complaint_resolution_time cases_reopened open_cases cost_per_interaction ' +
    'calls_lost lost_call_rate speed_of_answer call_handling_time email_bounce_rate emails_bounced emails_complained churned ' +
    'duplicate_contacts double_submissions missing_values unlisted_values unknown_references impossible_order overdue_deals stale_deals ' +
    'rejected_events duplicate_events'
  ).split(' '),
);
const NEITHER = new Set(
  'entered left open_deals open_amount activities_due cases_opened records share calls service_calls_per_day target expected_progress'.split(
    ' ',
  ),
);

/** Is a move by `sign` of that metric good (1), bad (-1), or neither (0)? */
export const meaning = (metric, sign) => (NEITHER.has(metric) ? 0 : LESS_IS_BETTER.has(metric) ? -sign : sign);

/** Quotients that are no share of a whole: 2.4 calls per deal, not 240 %. */
export const displayUnit = (metric, unit) => (unit === 'ratio' && /_per_/.test(metric) ? 'quotient' : unit);
