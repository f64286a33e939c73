package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** English names of the languages Whisper was trained on, and the aliases openai/whisper takes. */
public final class Languages {
  private static final String NAMES =
      """
      en english zh chinese de german es spanish ru russian ko korean fr french ja japanese pt portuguese
      tr turkish pl polish ca catalan nl dutch ar arabic sv swedish it italian id indonesian hi hindi
      fi finnish vi vietnamese he hebrew uk ukrainian el greek ms malay cs czech ro romanian da danish
      hu hungarian ta tamil no norwegian th thai ur urdu hr croatian bg bulgarian lt lithuanian la latin
      mi maori ml malayalam cy welsh sk slovak te telugu fa persian lv latvian bn bengali sr serbian
      az azerbaijani sl slovenian kn kannada et estonian mk macedonian br breton eu basque is icelandic
      hy armenian ne nepali mn mongolian bs bosnian kk kazakh sq albanian sw swahili gl galician mr marathi
      pa punjabi si sinhala km khmer sn shona yo yoruba so somali af afrikaans oc occitan ka georgian
      be belarusian tg tajik sd sindhi gu gujarati am amharic yi yiddish lo lao uz uzbek fo faroese
      ht haitian_creole ps pashto tk turkmen nn nynorsk mt maltese sa sanskrit lb luxembourgish my myanmar
      bo tibetan tl tagalog mg malagasy as assamese tt tatar haw hawaiian ln lingala ha hausa ba bashkir
      jw javanese su sundanese yue cantonese
      """;

  private static final String ALIASES =
      """
      my burmese ca valencian nl flemish ht haitian lb letzeburgesch ps pushto pa panjabi ro moldavian
      ro moldovan si sinhalese es castilian zh mandarin
      """;

  private static final Map<String, String> NAME_BY_CODE = new HashMap<>();
  private static final Map<String, String> CODE_BY_NAME = new HashMap<>();

  static {
    String[] names = NAMES.strip().split("\\s+");
    for (int i = 0; i < names.length; i += 2) {
      NAME_BY_CODE.put(names[i], names[i + 1].replace('_', ' '));
      CODE_BY_NAME.put(names[i + 1].replace('_', ' '), names[i]);
    }
    String[] aliases = ALIASES.strip().split("\\s+");
    for (int i = 0; i < aliases.length; i += 2) {
      CODE_BY_NAME.put(aliases[i + 1], aliases[i]);
    }
  }

  private Languages() {}

  /** Codes of the languages of all multilingual checkpoints before large-v3, in token order. */
  static List<String> codes() {
    String[] names = NAMES.strip().split("\\s+");
    List<String> codes = new ArrayList<>();
    for (int i = 0; i < names.length; i += 2) {
      codes.add(names[i]);
    }
    codes.remove("yue"); // came with large-v3
    return codes;
  }

  /** The code for a code or an English name in any case, or null if there is none. */
  public static String code(String codeOrName) {
    String key = codeOrName.strip().toLowerCase(Locale.ROOT);
    return NAME_BY_CODE.containsKey(key) ? key : CODE_BY_NAME.get(key);
  }

  /** The English name in lower case, or the code itself if the language is not known. */
  public static String name(String code) {
    return NAME_BY_CODE.getOrDefault(code, code);
  }
}
