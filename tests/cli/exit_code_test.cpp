// What goes wrong, with which exit code, and whether the message says where.
#include <fcntl.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "campaign/campaign.hpp"
#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using testing::HasSubstr;

class ExitCodeTest : public ProgramTest {
protected:
    void expect_error(const std::vector<std::string>& words, int code, const std::string& message,
                      const std::vector<std::string>& environment = {}) const {
        const Output output = limrisk(words, environment);
        EXPECT_EQ(output.code, code) << testing::PrintToString(words) << "\n" << output.err;
        EXPECT_THAT(output.err, HasSubstr("limrisk: error: "));
        EXPECT_THAT(output.err, HasSubstr(message));
        EXPECT_EQ(output.out, "");
    }
};

TEST_F(ExitCodeTest, WrongUseIs64) {
    expect_error({}, 64, "--help");
    expect_error({"runn"}, 64, "runn");
    expect_error({"run"}, 64, "CAMPAIGN.toml");
    expect_error({"run", "campaign.toml", "--bogus"}, 64, "limrisk run --help");
    for (const char* trials : {"many", "0", "-1", "1e3", "99999999999999999999", ""})
        expect_error({"run", "campaign.toml", "--trials", trials}, 64, "--trials");
    expect_error({"run", "campaign.toml", "--seed", "-1"}, 64, "--seed");
    expect_error({"run", "campaign.toml", "--threads", "0"}, 64, "--threads");
    for (const char* number : {"nan", "NaN", "inf", "-inf", "-1", "0x1p-2", "1e9999", "0.1x", "", "1,5"}) {
        expect_error({"summary", "campaign.db", "--tolerance", number}, 64, "--tolerance");
        expect_error({"report", "campaign.db", "--out", "a.html", "--tolerance", number}, 64, "--tolerance");
        expect_error({"hierarchy", "campaign.toml", "--width", "1", "--tolerance", number}, 64, "--tolerance");
        expect_error({"bench", "--seconds", number}, 64, "--seconds");
    }
    expect_error({"run", "campaign.toml", "--set", "steps"}, 64, "KEY=VALUE");
    expect_error({"run", "campaign.toml", "--backend", "abacus"}, 64, "abacus");
    for (const char* devices : {"", ",", "0,", "0,,2", "-1", "0, 2", "all", "99999999999"})
        expect_error({"run", "campaign.toml", "--devices", devices}, 64, "is not a list of device numbers, such as 0 or 0,2");
    expect_error({"run", "campaign.toml", "--devices", "0,2,0"}, 64, "device 0 twice");
    expect_error({"run", "campaign.toml", "--backend", "cpu", "--devices", "0"}, 64, "--devices");
    expect_error({"run", "campaign.toml", "--backend", "cuda", "--threads", "2"}, 64, "--threads");
    expect_error({"selftest", "--backend", "auto"}, 64, "cpu or cuda");
    expect_error({"run", "campaign.toml", "--backend", "cpu"}, 64, "LIMRISK_ISA=z80", {"LIMRISK_ISA=z80"});
    succeed({"run", "campaign.toml", "--quiet"});
    expect_error({"export", "campaign.db", "--format", "xls", "--out", "a"}, 64, "xls");
    expect_error({"summary", "campaign.db", "--csv", "--json"}, 64, "excludes");
    expect_error({"replay", "campaign.db", "--cell", "3", "--trial", "0"}, 64, "cells 0 to 2");
    expect_error({"replay", "campaign.db", "--cell", "0", "--trial", "70"}, 64, "70 trials");
}

/// What would have no effect is refused, or said where only the campaign or the machine decides it.
TEST_F(ExitCodeTest, NoOptionIsIgnored) {
    for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
             {"--add"}, {"--time-limit", "1:00:00"}, {"--checkpoint-every", "0:00:10"}, {"--shard", "1/2"}}) {
        std::vector<std::string> words{"run", "campaign.toml", "--dry-run"};
        words.insert(words.end(), more.begin(), more.end());
        expect_error(words, 64, more.front());
    }
    expect_error({"slurm", "campaign.toml", "--jobs", "2", "--time", "1:00:00", "--force"}, 64, "--force requires --out");
    expect_error({"hierarchy", "campaign.toml", "--width", "1", "--tolerance", "0.1"}, 64, "--tolerance requires --store");
    expect_error({"optimum", "campaign.toml", "--again", "--replace"}, 64, "--replace requires --store");
    succeed({"run", "campaign.toml", "--quiet"});
    expect_error({"summary", "campaign.db", "--compare", "width", "--restarts", "3"}, 64, "excludes");
    expect_error({"replay", "campaign.db", "--cell", "0", "--trial", "0", "--force"}, 64, "--csv or --parameters");
    expect_error({"replay", "campaign.db", "--cell", "0", "--trial", "0", "--csv", "-", "--parameters", "-"}, 64, "standard output");
    for (const char* command : {"trajectories", "limits", "valleys"})
        expect_error({command, "campaign.db", "--force"}, 64, "--force requires --csv");
    EXPECT_THAT(succeed({"summary", "campaign.db", "--sentences", "--restarts", "3"}).out, HasSubstr("of 3 trials"));
    const std::vector<std::string> unused{"optimum", "campaign.toml", "--largest", "1", "--seconds", "5", "--threads", "1"};
    EXPECT_THAT(succeed(unused).err, HasSubstr("--seconds, --threads have no effect"));
}

TEST_F(ExitCodeTest, MisspeltWordsAreToldTheNearest) {
    expect_error({"runn"}, 64, "there is no subcommand 'runn'; did you mean run?");
    expect_error({"--versoin"}, 64, "there is no option --versoin; did you mean --version?");
    expect_error({"run", "campaign.toml", "--trails", "5"}, 64, "there is no option --trails; did you mean --trials?");
    // Before what is missing, and before their value is taken for something else.
    expect_error({"run", "--trails", "5"}, 64, "did you mean --trials?");
    expect_error({"run", "--trails=5", "campaign.toml"}, 64, "there is no option --trails; did you mean --trials?");
    expect_error({"run", "campaign.toml", "-trials", "5"}, 64, "did you mean --trials?");
    expect_error({"run", "campaign.toml", "--something-else"}, 64, "there is no option --something-else\nTry: limrisk run --help");
    // What follows an option that needs a value is its value.
    expect_error({"run", "campaign.toml", "--set", "--trails"}, 64, "--set --trails: KEY=VALUE is needed");
    expect_error({"run", "--", "--trails.toml"}, 74, "--trails.toml");
    // Every option of every subcommand, with a letter too many.
    for (const char* command : {"run", "summary", "report", "export", "replay", "trajectories", "verify", "optimum", "hierarchy", "list",
                                "bench", "selftest", "doctor", "limits"}) {
        const std::string help = succeed({command, "--help"}).out;
        for (std::size_t at = help.find("  --"); at != std::string::npos; at = help.find("  --", at + 1)) {
            const std::string name = help.substr(at + 2, help.find_first_of(" ,\n", at + 2) - at - 2);
            expect_error({command, name + "q"}, 64, "did you mean " + name + "?");
        }
    }
}

TEST_F(ExitCodeTest, WrongCampaignIs65) {
    write("wrong.toml", campaign_text(1, 40, "-3", "wdith = 3"));
    const Output output = limrisk({"run", "wrong.toml"});
    EXPECT_EQ(output.code, 65);
    EXPECT_THAT(output.err, HasSubstr("wdith"));
    EXPECT_THAT(output.err, HasSubstr("network.width"));
    expect_error({"run", "campaign.toml", "--set", "network.width=\"wide\""}, 65, "width");
    expect_error({"run", "campaign.toml", "--set", "problem.target=\"log(x1 - 0.5)\""}, 65, "finite");
    for (const char* deviation : {"1/sqrt(x1)", "sqrt(x1-0.001)"})
        expect_error({"run", "campaign.toml", "--set", fmt::format("problem.noise={{law=\"normal\",deviation=\"{}\"}}", deviation)}, 65,
                     "the deviation");
    EXPECT_FALSE(std::filesystem::exists(path("campaign.db"))) << "a store of the wrong campaign is in the way of the right one";
    EXPECT_FALSE(std::filesystem::exists(path("wrong.db")));
}

TEST_F(ExitCodeTest, WrongStoreIs65) {
    succeed({"run", "campaign.toml", "--quiet"});
    expect_error({"run", "campaign.toml", "--seed", "5"}, 65, "seed");
    expect_error({"run", "campaign.toml", "--set", "training.batch=9"}, 65, "batch");
    expect_error({"run", "campaign.toml", "--set", "network.condition=no_inactive_neuron", "--set",
                  "trials={ at_most = 100, until = { events = 3 } }"},
                 65, "no chance event");
    write("text.db", "this is no store");
    expect_error({"summary", "text.db"}, 65, "text.db");
    expect_error({"run", "campaign.toml", "--store", "text.db"}, 65, "text.db");
    EXPECT_EQ(read("text.db"), "this is no store");
}

TEST_F(ExitCodeTest, AFlippedBitIs65) {
    succeed({"run", "campaign.toml", "--quiet"});
    EXPECT_THAT(succeed({"verify", "campaign.db"}).out, HasSubstr("no damage found"));
    std::string bytes = read("campaign.db");
    int found = 0;
    // From the end: the blocks are what was written last.
    for (std::size_t place = bytes.size() - 600; place > bytes.size() - 1000; place -= 100) {
        std::string damaged = bytes;
        damaged[place] = static_cast<char>(damaged[place] ^ 1);
        write("damaged.db", damaged);
        found += limrisk({"verify", "damaged.db"}).code == 65;
    }
    EXPECT_GE(found, 1);
}

TEST_F(ExitCodeTest, MissingDeviceIs69) {
    const std::vector<std::string> hidden{"CUDA_VISIBLE_DEVICES="};
    for (const char* command : {"run", "run --devices 0", "run --dry-run", "bench", "selftest"}) {
        std::vector<std::string> words;
        std::istringstream stream(command);
        for (std::string word; stream >> word;) words.push_back(word);
        if (words.front() == "run") words.insert(words.begin() + 1, "campaign.toml");
        words.insert(words.end(), {"--backend", "cuda"});
        expect_error(words, 69, "--backend cuda: ", hidden);
    }
    EXPECT_FALSE(std::filesystem::exists(path("campaign.db")));
    // auto does without, and says why unless the build has no CUDA at all.
    const Output output = limrisk({"run", "campaign.toml"}, hidden);
    EXPECT_EQ(output.code, 0) << output.err;
    EXPECT_THAT(output.err, HasSubstr("cpu: "));
    EXPECT_EQ(limrisk({"run", "campaign.toml", "--quiet"}, hidden).err, "");
    for (std::size_t at = output.err.find("no GPU"); at != std::string::npos; at = output.err.find("no GPU", at + 1))
        EXPECT_LT(output.err.find('\n', at) - at, 80U) << output.err;
}

TEST_F(ExitCodeTest, NamesReachTheTerminalWithoutEscapes) {
    const std::string escape = "\x1b[31m\xc2\x9b";
    Campaign campaign = load_campaign(path("campaign.toml"));
    campaign.name = "evil" + escape;
    const std::string file = "evil" + escape + ".db";
    Store::open_for_writing(path(file), campaign);
    const auto expect_harmless = [&](const std::vector<std::string>& words, int code) {
        const Output output = limrisk(words);
        EXPECT_EQ(output.code, code) << testing::PrintToString(words) << output.err;
        for (const std::string& text : {output.out, output.err}) {
            EXPECT_EQ(text.find('\x1b'), std::string::npos) << testing::PrintToString(words);
            EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << testing::PrintToString(words);
        }
    };
    expect_harmless({"run", "campaign.toml", "--store", file}, 0);
    expect_harmless({"run", "campaign.toml", "--store", file, "--dry-run"}, 0);
    for (const char* command : {"summary", "verify"}) expect_harmless({command, file}, 0);
    expect_harmless({"summary", file, "--csv"}, 0);
    expect_harmless({"summary", file, "--json"}, 0);
    expect_harmless({"summary", file, "--sentences"}, 0);
    expect_harmless({"replay", file, "--cell", "0", "--trial", "0"}, 0);
    expect_harmless({"replay", file, "--cell", "9", "--trial", "0"}, 64);
    write(file, "no store");
    for (const char* command : {"summary", "verify", "trajectories"}) expect_harmless({command, file}, 65);
    expect_harmless({"report", file, "--out", "a.html"}, 65);
    expect_harmless({"summary", "absent" + escape}, 74);
    expect_harmless({"run", "absent" + escape}, 74);
    expect_harmless({"run" + escape}, 64);
    expect_harmless({"run", "--trials" + escape}, 64);
    expect_harmless({"run", "campaign.toml", "--set", "na" + escape + "me=1"}, 65);
}

TEST_F(ExitCodeTest, AReplayThatDiffersIs70) {
    const Campaign campaign = load_campaign(path("campaign.toml"));
    succeed({"run", "campaign.toml", "--quiet"});
    const Store right = Store::open(path("campaign.db"));
    Store wrong = Store::open_for_writing(path("wrong.db"), campaign);
    for (const BlockKey& key : right.blocks()) {
        std::vector<TrialRecord> records = right.read_block(key);
        if (key.cell == 1) records.at(3).tail_mean += 0.5;
        wrong.write_block(key, records);
    }
    EXPECT_EQ(limrisk({"replay", "wrong.db", "--cell", "1", "--trial", "2"}).code, 0);
    const Output output = limrisk({"replay", "wrong.db", "--cell", "1", "--trial", "3"});
    EXPECT_EQ(output.code, 70);
    EXPECT_THAT(output.err, HasSubstr("cell 1, trial 3: tail_mean is "));
    EXPECT_THAT(output.err, HasSubstr("in the store"));
    EXPECT_THAT(output.out, testing::Not(HasSubstr("bit for bit")));
}

TEST_F(ExitCodeTest, UnreadableAndUnwritableIs74) {
    expect_error({"run", "absent.toml"}, 74, "absent.toml");
    expect_error({"summary", "absent.db"}, 74, "absent.db");
    expect_error({"run", "campaign.toml", "--store", "no/such/place.db"}, 74, "no/such");
    succeed({"run", "campaign.toml", "--quiet"});
    expect_error({"export", "campaign.db", "--format", "csv", "--out", "no/such/trials.csv"}, 74, "no/such");
    const Output replay = limrisk({"replay", "campaign.db", "--cell", "0", "--trial", "0", "--csv", "no/such.csv"});
    EXPECT_EQ(replay.code, 74);
    EXPECT_EQ(shell("limrisk list > /dev/full").code, 74);
}

TEST_F(ExitCodeTest, AClosedPipeIsNoError) {
    succeed({"run", "campaign.toml", "--quiet"});
    // The reader is gone before the first byte: its end of the FIFO was open only while limrisk opened the other.
    const Output output = shell("mkfifo pipe; (limrisk summary campaign.db > pipe; echo $? > code) & exec 3< pipe; exec 3<&-; wait");
    EXPECT_EQ(read("code"), "0\n") << output.err;
    EXPECT_THAT(output.err, testing::Not(HasSubstr("error")));
    EXPECT_EQ(shell("limrisk run campaign.toml --trials 90 2>&1 >/dev/null | true; limrisk verify campaign.db").code, 0);
}

TEST_F(ExitCodeTest, AStoreInUseIs75) {
    write("long.toml", campaign_text(100, 1000000000));
    Process first(directory(), {"limrisk", "run", "long.toml"});
    ASSERT_TRUE(eventually([&] { return first.stderr_so_far().find("campaign ") != std::string::npos; }));
    expect_error({"run", "long.toml"}, 75, "long.db");
    std::filesystem::create_hard_link(path("long.db"), path("hard.db"));
    std::filesystem::create_symlink("long.db", path("soft.db"));
    for (const char* name : {"hard.db", "soft.db"}) expect_error({"run", "long.toml", "--store", name}, 75, "in use by ");
    EXPECT_EQ(limrisk({"summary", "long.db"}).code, 0);
    first.send(SIGKILL);
    EXPECT_EQ(first.wait().code, 128 + SIGKILL);
    Process second(directory(), {"limrisk", "run", "long.toml"});
    EXPECT_TRUE(eventually([&] { return second.stderr_so_far().find("campaign ") != std::string::npos; }));
}

}  // namespace
}  // namespace limrisk::test
