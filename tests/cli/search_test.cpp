// Searches that take long: each width is kept as it is found, signals stop them, the second call goes on, other writers are refused.
#include <csignal>
#include <nlohmann/json.hpp>

#include "limrisk/error.hpp"
#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// Widths up to 4 in two dimensions: the time bound keeps each search at some seconds, and a signal comes long before.
class SearchTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write(
            "plane.toml",
            "name = \"plane\"\ntrials = 8\nsteps = 100\n[problem]\n"
            "input = { law = \"uniform\", dimension = 2, low = 0.0, high = 1.0 }\ntarget = \"sin(9*x1)*cos(8*x2)\"\n[network]\nwidth = 4\n"
            "[training]\nbatch = 32\noptimizer = \"sgd(0.1)\"\n");
    }
    std::size_t stored(const std::string& kind = "optimum") const {
        if (!std::filesystem::exists(path("plane.db"))) return 0;
        try {
            return Store::open(path("plane.db")).documents(kind).size();
        } catch (const StoreError&) {
            return 0;  // being made
        }
    }
    /// When the documents were written: what is searched again would be written again.
    std::string first_written() const { return Store::open(path("plane.db")).documents("optimum").front().created; }
    static std::vector<std::string> search(const std::string& seconds) {
        return {"limrisk", "optimum", "plane.toml", "--store", "plane.db", "--seconds", seconds};
    }
};

TEST_F(SearchTest, InterruptedSearchesGoOn) {
    Process process(directory(), search("1000"));
    ASSERT_TRUE(eventually([&] { return !process.running() || stored() >= 2; }));
    ASSERT_TRUE(process.running()) << process.stderr_so_far();
    process.send(SIGINT);
    const Output stopped = process.wait();
    EXPECT_EQ(stopped.code, 130) << stopped.err;
    EXPECT_EQ(stopped.out, "");
    EXPECT_THAT(stopped.err, HasSubstr("results of this search are stored in plane.db"));
    EXPECT_THAT(stopped.err, HasSubstr("limrisk optimum plane.toml --store plane.db --seconds 1000"));
    const std::size_t kept = stored();
    ASSERT_GE(kept, 2u);
    succeed({"verify", "plane.db"});
    const std::string written = first_written();
    sleep_for(std::chrono::milliseconds(1100));
    std::vector<std::string> words = search("3");
    words.erase(words.begin());
    const Output again = succeed(words);
    EXPECT_EQ(stored(), 5u);
    EXPECT_EQ(first_written(), written);
    EXPECT_THAT(again.err, Not(HasSubstr("width 1:")));
    EXPECT_EQ(succeed(words).err, "");
}

TEST_F(SearchTest, KilledSearchesGoOn) {
    for (std::size_t wanted = 1; wanted <= 2; ++wanted) {
        Process process(directory(), search("1000"));
        ASSERT_TRUE(eventually([&] { return !process.running() || stored() >= wanted; }));
        process.send(SIGKILL);
        EXPECT_EQ(process.wait().code, 128 + SIGKILL);
        EXPECT_GE(stored(), wanted);
        succeed({"verify", "plane.db"});
    }
    succeed({"optimum", "plane.toml", "--store", "plane.db", "--seconds", "2", "--json"});
    EXPECT_EQ(stored(), 5u);
}

TEST_F(SearchTest, ASecondWriterIsRefusedAtOnce) {
    Process process(directory(), search("1000"));
    ASSERT_TRUE(eventually([&] { return !process.running() || stored() >= 1; }));
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"optimum", "plane.toml", "--store", "plane.db"},
                                               {"hierarchy", "plane.toml", "--width", "2", "--store", "plane.db"},
                                               {"run", "plane.toml", "--store", "plane.db"}}) {
        const auto start = std::chrono::steady_clock::now();
        const Output refused = limrisk(words);
        EXPECT_EQ(refused.code, 75) << words[0] << refused.err;
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << words[0];
    }
    succeed({"summary", "plane.db"});  // readers are welcome
    process.send(SIGTERM);
    EXPECT_EQ(process.wait().code, 143);
}

TEST_F(SearchTest, TheHierarchyKeepsItsOptimaAndItself) {
    Process process(directory(), {"limrisk", "hierarchy", "plane.toml", "--width", "3", "--store", "plane.db", "--seconds", "1000"});
    ASSERT_TRUE(eventually([&] { return !process.running() || stored() >= 2; }));
    process.send(SIGTERM);
    const Output stopped = process.wait();
    EXPECT_EQ(stopped.code, 143) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("limrisk hierarchy plane.toml --width 3"));
    const std::string written = first_written();
    sleep_for(std::chrono::milliseconds(1100));
    const json first =
        json::parse(succeed({"hierarchy", "plane.toml", "--width", "3", "--store", "plane.db", "--seconds", "3", "--json"}).out);
    EXPECT_EQ(first_written(), written);
    EXPECT_EQ(stored("levels"), 1u);
    EXPECT_EQ(json::parse(succeed({"hierarchy", "plane.toml", "--width", "3", "--store", "plane.db", "--json"}).out), first);
}

TEST_F(SearchTest, AStoreOfOtherProblemsIsRefused) {
    succeed({"run", "plane.toml", "--quiet"});
    for (const std::vector<std::string>& command : {std::vector<std::string>{"optimum"}, {"hierarchy", "--width", "1"}}) {
        std::vector<std::string> words = command;
        words.insert(words.end(), {"plane.toml", "--set", "problem.target=\"x1*x2\"", "--store", "plane.db"});
        const Output output = limrisk(words);
        EXPECT_EQ(output.code, 64) << output.err;
        EXPECT_THAT(output.err, HasSubstr("has none of the campaign's problems"));
    }
}

TEST_F(SearchTest, WithoutAStoreItSaysThatNothingIsKept) {
    Process process(directory(), {"limrisk", "optimum", "plane.toml", "--seconds", "1000"});
    ASSERT_TRUE(eventually([&] { return !process.running() || process.stderr_so_far().find("width 0:") != std::string::npos; }));
    process.send(SIGINT);
    const Output stopped = process.wait();
    EXPECT_EQ(stopped.code, 130);
    EXPECT_THAT(stopped.err, HasSubstr("no results are stored, since --store was not given"));
}

}  // namespace
}  // namespace limrisk::test
