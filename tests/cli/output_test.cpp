// Every output of every command: never over a store, never over a file unasked, and to stdout where one asks for it.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "program.hpp"

namespace limrisk::test {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

class OutputTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        succeed({"run", "campaign.toml", "--quiet"});
    }
    /// All commands that write a file, up to its name; to replace one they need --force.
    const std::vector<Words> commands_{
        {"export", "campaign.db", "--format", "csv", "--out"},
        {"export", "campaign.db", "--format", "json", "--out"},
        {"export", "campaign.db", "--format", "npz", "--out"},
        {"report", "campaign.db", "--out"},
        {"replay", "campaign.db", "--cell", "0", "--trial", "0", "--csv"},
        {"trajectories", "campaign.db", "--trials", "2", "--points", "3", "--csv"},
    };
    static Words with(Words words, const std::string& name, bool force = false) {
        words.push_back(name);
        if (force) words.emplace_back("--force");
        return words;
    }
};

TEST_F(OutputTest, NoCommandWritesOverAStore) {
    succeed({"trajectories", "campaign.db", "--trials", "2", "--points", "3"});  // so that no command changes it
    std::filesystem::create_symlink("campaign.db", path("link"));
    const std::string before = read("campaign.db");
    for (const Words& command : commands_) {
        for (const char* name : {"campaign.db", "link", "campaign.db-journal"}) {
            const Output output = limrisk(with(command, name, true));
            EXPECT_EQ(output.code, 74) << command[0] << " " << name;
            EXPECT_THAT(output.err, HasSubstr("store")) << command[0];
        }
        EXPECT_TRUE(read("campaign.db") == before) << command[0];
    }
}

TEST_F(OutputTest, NoCommandReplacesAFileUnasked) {
    for (const Words& command : commands_) {
        write("mine", "mine");
        const Output output = limrisk(with(command, "mine"));
        EXPECT_EQ(output.code, 74) << command[0];
        EXPECT_THAT(output.err, HasSubstr("--force")) << command[0];
        EXPECT_EQ(read("mine"), "mine") << command[0];
        EXPECT_EQ(limrisk(with(command, "mine", true)).code, 0) << command[0];
        EXPECT_NE(read("mine"), "mine") << command[0];
    }
}

TEST_F(OutputTest, ADashIsStdout) {
    for (const Words& command : commands_) {
        std::filesystem::remove(path("file"));
        succeed(with(command, "file"));
        for (const char* name : {"-", "/dev/stdout"}) {
            const Output output = limrisk(with(command, name));
            EXPECT_EQ(output.code, 0) << command[0] << ": " << output.err;
            EXPECT_TRUE(output.out == read("file")) << command[0] << " " << name << "\n" << output.out.substr(0, 300);
            EXPECT_FALSE(std::filesystem::exists(path("-")));
        }
    }
    EXPECT_EQ(limrisk({"trajectories", "campaign.db", "--json", "--csv", "-"}).code, 64);
    EXPECT_EQ(shell("limrisk export campaign.db --format csv --out - | head -1 >/dev/null").code, 0);
}

TEST_F(OutputTest, NpzOnATerminalIsRefused) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) GTEST_SKIP() << "there are no terminals here";
    const Output output = shell(std::string("limrisk export campaign.db --format npz --out - > ") + ::ptsname(terminal));
    ::close(terminal);
    EXPECT_EQ(output.code, 64);
    EXPECT_THAT(output.err, HasSubstr("is a terminal"));
}

/// What a received store may bring along must not reach a file of the one who opens it.
TEST_F(OutputTest, AForgedJournalDeletesNothing) {
    write("victim", "my thesis");
    const std::string name = path("victim").string();
    std::string tail = name;
    std::uint32_t checksum = 0;
    for (const char letter : name) checksum += static_cast<std::uint32_t>(letter);
    for (const std::uint32_t number : {static_cast<std::uint32_t>(name.size()), checksum})
        for (int shift = 24; shift >= 0; shift -= 8) tail.push_back(static_cast<char>(number >> shift));
    const std::string magic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
    // A header of a transaction without pages: that is enough for SQLite to follow the name.
    std::string head = magic + std::string(504, '\0');
    write("campaign.db-journal", head + tail + magic);
    for (const Words& words : std::vector<Words>{{"run", "campaign.toml"},
                                                 {"summary", "campaign.db"},
                                                 {"report", "campaign.db", "--out", "x.html"},
                                                 {"verify", "campaign.db"},
                                                 {"export", "campaign.db", "--format", "csv", "--out", "x.csv"},
                                                 {"replay", "campaign.db", "--cell", "0", "--trial", "0"},
                                                 {"trajectories", "campaign.db"},
                                                 {"optimum", "campaign.toml", "--largest", "1", "--store", "campaign.db"},
                                                 {"hierarchy", "campaign.toml", "--width", "1", "--store", "campaign.db"}}) {
        const Output output = limrisk(words);
        EXPECT_EQ(output.code, 65) << words[0] << ": " << output.err;
        EXPECT_THAT(output.err, HasSubstr("names another file")) << words[0];
        EXPECT_EQ(read("victim"), "my thesis") << words[0];
    }
}

}  // namespace
}  // namespace limrisk::test
