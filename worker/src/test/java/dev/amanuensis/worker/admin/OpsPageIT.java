package dev.amanuensis.worker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import dev.amanuensis.worker.metrics.PrometheusText;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

/** The ops page in a real browser: live, by keyboard, on a phone, and with hostile job ids. */
@Tag("browser")
class OpsPageIT {
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final String HOSTILE =
      "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>'\"&amp;";

  private final PrometheusText text = new PrometheusText();
  private final WorkerMetrics metrics = new WorkerMetrics(text.registry());
  private final WorkerState state = new WorkerState();
  private final FakeWorker worker = new FakeWorker(metrics);
  private AdminServer server;
  private Browser browser;

  @BeforeEach
  void open() throws Exception {
    browser = Browser.open();
    server =
        AdminServer.start(
            new AdminConfig("127.0.0.1", 0, false, List.of()), state, text, List.of());
    browser.screen(1200, 1400, false);
  }

  @AfterEach
  void close() {
    if (browser != null) {
      browser.close();
    }
    if (server != null) {
      server.close();
    }
  }

  private void load() {
    browser.driver.get(server.url() + "/");
  }

  private WebElement find(String css) {
    return browser.driver.findElement(By.cssSelector(css));
  }

  private void waitFor(String css, String text) {
    long end = System.nanoTime() + WAIT.toNanos();
    String seen = "";
    while (!seen.contains(text)) {
      assertThat(System.nanoTime()).as("%s has '%s', not '%s'", css, seen, text).isLessThan(end);
      try {
        Thread.sleep(50);
        seen = find(css).getText();
      } catch (StaleElementReferenceException e) {
        // It was drawn again meanwhile.
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private void completed(String id) {
    Job job =
        new Job(
            id,
            new AudioSource.Inline(ByteBuffer.allocate(0), null),
            null,
            TranscriptionOptions.DEFAULTS,
            0,
            null,
            null,
            Map.of());
    metrics.jobEnded(
        new JobResult(
            job,
            JobResult.Status.COMPLETED,
            new TranscriptionResult("secret words", "en", 1, 11, List.of()),
            null,
            null,
            null,
            Map.of("total", 1234.0)));
  }

  @Test
  void itShowsWhatHappensWhileItHappens() throws Exception {
    state.phase("loading the model");
    load();
    waitFor("#state", "waiting");
    waitFor("#banner", "loading the model");

    state.attach(worker);
    waitFor("#state", "ready");
    assertThat(find("#banner").isDisplayed()).isFalse();
    waitFor("#who", "worker-1 · whisper-base, fast · cpu avx2");
    waitFor("#flow", "3 wait");
    worker.queued = 17;
    waitFor("#flow", "17 wait");
    waitFor("#pools", "2 in use, 6 of 15 allocated");
    assertThat(find("#none").isDisplayed()).isTrue();

    worker.jobs.add(FakeWorker.held("held-1"));
    completed("done-1");
    waitFor("#rows", "held-1");
    waitFor("#rows", "done-1");
    waitFor("#rows", "completed");
    assertThat(find("body").getText()).doesNotContain("secret words");

    worker.failure = new IllegalStateException("fenced");
    waitFor("#state", "down");
    waitFor("#banner", "fenced");
    worker.failure = null;
    waitFor("#state", "ready");
    server.close();
    waitFor("#state", "unreachable");
  }

  @Test
  void idsAreShownAsTheyAreAndRunNothing() {
    state.attach(worker);
    worker.jobs.add(FakeWorker.held(HOSTILE));
    completed(HOSTILE);
    load();
    waitFor("#rows", HOSTILE);
    find("#job-id").sendKeys(HOSTILE, Keys.ENTER);
    waitFor("#found", "RUNNING");
    assertThat(browser.driver.executeScript("return window.hacked === undefined")).isEqualTo(true);
    assertThat(browser.driver.findElements(By.cssSelector("#rows img, #found img"))).isEmpty();
    assertThat(browser.complaints()).noneMatch(m -> m.contains("Content Security Policy"));
  }

  @Test
  void everythingIsReachedByKeyboard() {
    state.attach(worker);
    worker.jobs.add(FakeWorker.held("by-key"));
    load();
    waitFor("#state", "ready");
    Actions keys = new Actions(browser.driver);
    keys.sendKeys(Keys.TAB).perform();
    WebElement skip = browser.driver.switchTo().activeElement();
    assertThat(skip.getText()).isEqualTo("Skip to the jobs");
    assertThat(skip.getLocation().getX()).as("visible while focused").isNotNegative();
    keys.sendKeys(Keys.TAB).perform();
    assertThat(browser.driver.switchTo().activeElement().getAttribute("id")).isEqualTo("pause");
    keys.sendKeys(Keys.SPACE).perform();
    assertThat(find("#pause").getAttribute("aria-pressed")).isEqualTo("true");
    worker.queued = 23;
    assertThat(find("#flow").getText()).contains("3 wait");
    keys.sendKeys("p").perform();
    waitFor("#flow", "23 wait");

    keys.sendKeys("/").perform();
    assertThat(browser.driver.switchTo().activeElement().getAttribute("id")).isEqualTo("job-id");
    keys.sendKeys("by-key", Keys.ENTER).perform();
    waitFor("#found", "\"state\": \"RUNNING\"");
    keys.sendKeys(Keys.ESCAPE).perform();
    String before = find("body").getCssValue("background-color");
    keys.sendKeys("t").perform();
    assertThat(find("body").getCssValue("background-color")).isNotEqualTo(before);
  }

  @Test
  void itFitsAPhone() throws Exception {
    state.attach(worker);
    completed("0192f7c0-aaaa-7bbb-8ccc-123456789abc-with-a-long-tail-of-letters");
    browser.screen(360, 740, true);
    load();
    waitFor("#state", "ready");
    waitFor("#rows", "completed");
    assertThat(browser.driver.executeScript("return document.documentElement.scrollWidth"))
        .as("no scrolling sideways")
        .isEqualTo(360L);
    for (WebElement button : browser.driver.findElements(By.tagName("button"))) {
      assertThat(button.getSize().getHeight()).as(button.getText()).isGreaterThanOrEqualTo(40);
    }
    WebElement flow = find("#flow");
    assertThat(flow.getSize().getWidth()).isLessThanOrEqualTo(360);
    assertThat(flow.getSize().getHeight()).as("from top to bottom").isGreaterThan(400);
    browser.screenshot(Path.of("target", "ops-page-phone.png"));
  }

  @Test
  void darkAndLightBothHaveContrast() throws Exception {
    state.attach(worker);
    completed("done-1");
    for (String theme : List.of("dark", "light")) {
      load();
      browser.driver.executeScript(
          "localStorage.setItem('theme', arguments[0]); location.reload()", theme);
      waitFor("#rows", "done-1");
      Object worst =
          browser.driver.executeScript(
              """
              const rgb = c => c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
              const light = c => { const [r, g, b] = rgb(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
              const back = e => {
                for (; e; e = e.parentElement) {
                  const c = getComputedStyle(e).backgroundColor;
                  if (!/, 0\\)$/.test(c)) return c;
                }
                return 'rgb(255, 255, 255)';
              };
              let worst = 99;
              for (const e of document.querySelectorAll('body *')) {
                const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
                if (!own || !e.offsetParent) continue;
                const a = light(getComputedStyle(e).color), b = light(back(e));
                worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
              }
              return worst;
              """);
      assertThat(((Number) worst).doubleValue())
          .as("WCAG AA in " + theme)
          .isGreaterThanOrEqualTo(4.5);
      browser.screenshot(Path.of("target", "ops-page-" + theme + ".png"));
    }
  }
}
