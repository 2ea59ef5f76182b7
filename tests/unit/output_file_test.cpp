// Outputs appear whole or not at all, replace what they are told to and never a store, and leave nothing behind.
#include "files/output_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Naming = TemporaryFile::Naming;

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// With and without O_TMPFILE.
class OutputFileTest : public ::testing::TestWithParam<Naming> {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "limrisk-output-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { fs::remove_all(directory_); }
    fs::path path(const std::string& name = "out.csv") const { return directory_ / name; }
    void put(const fs::path& where, const std::string& text, bool replace = false) const {
        OutputFile file(where, replace, 0666, GetParam());
        file.write(text);
        file.commit();
    }
    /// The message of the refusal.
    std::string refusal(const fs::path& where, bool replace) const {
        try {
            put(where, "new", replace);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::InputOutput);
            return error.what();
        }
        return "written";
    }
    void make_database(const fs::path& where) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(where.c_str(), &database), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE t (x)", nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
    }
    std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), {})); }

private:
    fs::path directory_;
};

TEST_P(OutputFileTest, AppearsWholeOrNotAtAll) {
    {
        OutputFile file(path(), false, 0666, GetParam());
        file.write("half");
        EXPECT_FALSE(fs::exists(path()));
    }
    EXPECT_EQ(files(), 0u) << "leftovers";
    put(path(), "whole");
    EXPECT_EQ(contents(path()), "whole");
    EXPECT_EQ(files(), 1u);
}

TEST_P(OutputFileTest, ReplacesOnlyWhatItIsToldTo) {
    put(path(), "old");
    EXPECT_THAT(refusal(path(), false), HasSubstr("--force"));
    EXPECT_EQ(contents(path()), "old");
    fs::permissions(path(), fs::perms(0600));
    put(path(), "new", true);
    EXPECT_EQ(contents(path()), "new");
    EXPECT_EQ(fs::status(path()).permissions(), fs::perms(0600)) << "what nobody else may read stays so";
    EXPECT_EQ(files(), 1u);
}

TEST_P(OutputFileTest, NeverReplacesWhatAppearedMeanwhile) {
    OutputFile file(path(), false, 0666, GetParam());
    file.write("late");
    std::ofstream(path()) << "first";
    EXPECT_THROW(file.commit(), Error);
    EXPECT_EQ(contents(path()), "first");
    OutputFile forced(path("other"), true, 0666, GetParam());
    make_database(path("other"));
    EXPECT_THROW(forced.commit(), Error);
    EXPECT_THAT(contents(path("other")), ::testing::StartsWith("SQLite format 3"));
}

TEST_P(OutputFileTest, NeverWritesOverAStore) {
    make_database(path("store.db"));
    const std::string before = contents(path("store.db"));
    fs::create_symlink("store.db", path("link"));
    fs::create_hard_link(path("store.db"), path("hard"));
    fs::create_directory_symlink(path().parent_path(), path("folder"));
    for (const char* name : {"store.db", "link", "hard", "folder/store.db"})
        for (const bool force : {false, true}) EXPECT_THAT(refusal(path(name), force), HasSubstr("SQLite database")) << name;
    for (const char* ending : {"-journal", "-lock", "-wal", "-shm"})
        EXPECT_THAT(refusal(path("store.db").string() + ending, true), HasSubstr("belongs to the store"));
    EXPECT_EQ(contents(path("store.db")), before);
    put(path("other-journal"), "no store is called other");
}

TEST_P(OutputFileTest, FollowsLinksToFiles) {
    std::ofstream(path("real")) << "old";
    fs::create_symlink("real", path("link"));
    EXPECT_THAT(refusal(path("link"), false), HasSubstr("--force"));
    put(path("link"), "new", true);
    EXPECT_TRUE(fs::is_symlink(path("link")));
    EXPECT_EQ(contents(path("real")), "new");
    fs::create_symlink("nowhere", path("dangling"));
    EXPECT_THAT(refusal(path("dangling"), true), HasSubstr("a link to a file that does not exist"));
    EXPECT_THAT(refusal(path("no/such/folder"), true), HasSubstr("No such file"));
    EXPECT_THAT(refusal(path().parent_path(), true), HasSubstr("not a regular file"));
    EXPECT_THAT(refusal("", true), HasSubstr("empty"));
}

TEST_P(OutputFileTest, StreamsAreWrittenAsTheyAre) {
    ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    std::string got;
    std::thread reader([&] { got = contents(path("pipe")); });
    put(path("pipe"), "through the pipe");
    reader.join();
    EXPECT_EQ(got, "through the pipe");
    EXPECT_TRUE(fs::is_fifo(path("pipe")));
    put("/dev/null", "nothing");
    EXPECT_THAT(refusal("/dev/full", false), HasSubstr("No space left"));
}

/// `-` and whatever names lead to where stdout leads, which is a file here.
TEST_P(OutputFileTest, StdoutIsWrittenNotReplaced) {
    for (const char* name : {"-", "/dev/stdout", "/proc/self/fd/1"}) {
        const pid_t child = fork();
        if (child == 0) {
            const int file = open(path("stdout").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (dup2(file, STDOUT_FILENO) < 0 || write(STDOUT_FILENO, "before ", 7) != 7) _exit(1);
            try {
                OutputFile out(name, false, 0666, GetParam());
                out.write_at(6, "behind");
                out.write_at(0, "first ");
                out.commit();
            } catch (const std::exception& error) {
                dprintf(STDERR_FILENO, "%s\n", error.what());
                _exit(2);
            }
            _exit(0);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << name;
        EXPECT_EQ(contents(path("stdout")), "before first behind") << name;
    }
    EXPECT_EQ(files(), 1u);
}

TEST_P(OutputFileTest, SignalsLeaveNothing) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGKILL}) {
        if (number == SIGKILL && GetParam() == Naming::Named) continue;  // who may help it
        const pid_t child = fork();
        if (child == 0) {
            OutputFile file(path(), false, 0666, GetParam());
            file.write(std::string(1 << 20, 'x'));
            raise(number);
            _exit(0);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << number;
        EXPECT_EQ(files(), 0u) << number;
    }
}

INSTANTIATE_TEST_SUITE_P(Names, OutputFileTest, ::testing::Values(Naming::NoneIfPossible, Naming::Named),
                         [](const auto& naming) { return naming.param == Naming::Named ? "Named" : "Unnamed"; });

}  // namespace
}  // namespace limrisk
