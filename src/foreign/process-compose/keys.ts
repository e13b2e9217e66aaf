/** The keys of its schema (schemas/process-compose-schema.json in its repository, and the pages on schedules and watching). */
const words = (text: string): readonly string[] => text.split(' ');

export const projectKeys = words(
  'version name log_location log_level log_length log_configuration log_format processes environment shell is_strict vars disable_env_expansion is_tui_disabled extends env_cmds ordered_shutdown is_dotenv_disabled mcp_server',
);

export const processKeys = words(
  'command entrypoint description disabled is_daemon is_foreground is_tty is_interactive is_elevated disable_ansi_colors is_dotenv_disabled working_dir namespace replicas environment env_file vars availability depends_on liveness_probe readiness_probe ready_log_line shutdown log_location log_configuration launch_timeout_seconds success_exit_codes schedule watch mcp',
);

export const availabilityKeys = words('restart backoff_seconds max_restarts exit_on_end exit_on_skipped');
export const probeKeys = words(
  'exec http_get initial_delay_seconds period_seconds timeout_seconds success_threshold failure_threshold',
);
export const shutdownKeys = words('command timeout_seconds signal parent_only');
export const scheduleKeys = words('cron interval timezone run_on_start max_concurrent');
