package dev.amanuensis.standalone;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
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
    NOTHING(Level.OFF, Level.OFF),
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

  /** How a line looks. */
  enum Format {
    /** For people. Control characters of what came from outside can't forge a line. */
    TEXT {
      @Override
      Encoder<ILoggingEvent> encoder(LoggerContext context) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setPattern(
            "%d{HH:mm:ss.SSS} %-5level %logger{24} - %replace(%msg){'\\p{Cntrl}', '?'}"
                + "%replace( [%X{job_id}]){' \\[\\]|\\p{Cntrl}', ''}%n");
        encoder.start();
        return encoder;
      }
    },
    /** One JSON object a line, with the job's id and trace in "mdc". */
    JSON {
      @Override
      Encoder<ILoggingEvent> encoder(LoggerContext context) {
        JsonEncoder encoder = new JsonEncoder();
        encoder.setContext(context);
        encoder.setWithSequenceNumber(false);
        encoder.setWithNanoseconds(false);
        encoder.setWithContext(false);
        encoder.setWithMessage(false);
        encoder.setWithArguments(false);
        encoder.setWithFormattedMessage(true);
        encoder.start();
        return encoder;
      }
    };

    abstract Encoder<ILoggingEvent> encoder(LoggerContext context);
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    if (System.getProperty(FILE_PROPERTY) != null) {
      return ExecutionStatus.INVOKE_NEXT_IF_ANY;
    }
    append(context, Format.TEXT);
    apply(context, Detail.QUIET);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  private static void append(LoggerContext context, Format format) {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(format.encoder(context));
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.addAppender(appender);
  }

  /** Changes how a line looks from now on; a configuration file of the user's stays as it is. */
  static void use(Format format) {
    if (System.getProperty(FILE_PROPERTY) == null
        && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      append(context, format);
    }
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
    context.getLogger("io.javalin").setLevel(Level.OFF); // our own message says it better
  }
}
