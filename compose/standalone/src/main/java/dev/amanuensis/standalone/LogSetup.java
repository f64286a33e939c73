package dev.amanuensis.standalone;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.nio.charset.StandardCharsets;
import org.slf4j.LoggerFactory;

/**
 * Logs to stderr; stdout belongs to results. Written in Java because parsing logback's XML takes
 * longer than starting the JVM. The system property {@value #FILE_PROPERTY} still names a file to
 * use instead.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class LogSetup extends ContextAwareBase implements Configurator {
  static final String FILE_PROPERTY = "logback.configurationFile";
  private static final String OURS = "dev.amanuensis";

  /** How much is logged. */
  enum Detail {
    /** Warnings of our own code only: for commands that print results. */
    QUIET(Level.WARN, Level.ERROR),
    /** What a server does. */
    SERVER(Level.INFO, Level.ERROR),
    /** All that helps to find a fault. */
    VERBOSE(Level.DEBUG, Level.INFO);

    private final Level ours;
    private final Level others;

    Detail(Level ours, Level others) {
      this.ours = ours;
      this.others = others;
    }
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    if (System.getProperty(FILE_PROPERTY) != null) {
      return ExecutionStatus.INVOKE_NEXT_IF_ANY;
    }
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setCharset(StandardCharsets.UTF_8);
    encoder.setPattern("%d{HH:mm:ss.SSS} %-5level %logger{24} - %msg%n");
    encoder.start();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(appender);
    apply(context, Detail.QUIET);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** Changes what is logged from now on; a configuration file of the user's stays as it is. */
  static void use(Detail detail) {
    if (System.getProperty(FILE_PROPERTY) == null
        && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      apply(context, detail);
    }
  }

  private static void apply(LoggerContext context, Detail detail) {
    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(detail.others);
    context.getLogger(OURS).setLevel(detail.ours);
  }
}
