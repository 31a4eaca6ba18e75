"""Fields and expansions that X documents: taken where X takes them, and left out where there is nothing."""

import pytest

from tests.media.server.service import Service


def words(text: str) -> list[str]:
    return text.split()


USER = words("""affiliation confirmed_email connection_status created_at description entities id
is_identity_verified location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url
profile_image_url protected public_metrics receives_your_dm subscription subscription_type url
username verified verified_followers_count verified_type withheld""")
SPACE = words("""created_at creator_id ended_at host_ids id invited_user_ids is_ticketed lang participant_count
scheduled_start speaker_ids started_at state subscriber_count title topic_ids updated_at""")
POST = words("""article attachments author_id card_uri community_id context_annotations conversation_id created_at
display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang
media_metadata non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics
public_metrics referenced_tweets reply_settings scopes source suggested_source_links text withheld""")
DOCUMENTED: dict[str, dict[str, list[str]]] = {
    "/2/spaces/{space}": {
        "space.fields": SPACE,
        "user.fields": USER,
        "topic.fields": ["description", "id", "name"],
        "expansions": ["creator_id", "host_ids", "invited_user_ids", "speaker_ids", "topic_ids"],
    },
    "/2/spaces?ids={space}": {"space.fields": SPACE, "user.fields": USER},
    "/2/spaces/search?query=launch": {"space.fields": SPACE, "user.fields": USER},
    "/2/spaces/by/creator_ids?user_ids={user}": {"space.fields": SPACE, "user.fields": USER},
    "/2/spaces/{space}/buyers": {"user.fields": USER, "tweet.fields": POST, "post.fields": POST},
    "/2/spaces/{space}/tweets": {
        "tweet.fields": POST,
        "post.fields": POST,
        "user.fields": USER,
        "expansions": [
            *("article.cover_media", "article.media_entities", "attachments.media_keys", "attachments.poll_ids"),
            *("author_id", "edit_history_tweet_ids", "entities.mentions.username", "geo.place_id"),
            *("in_reply_to_user_id", "referenced_tweets.id", "referenced_tweets.id.author_id"),
        ],
        "media.fields": words("alt_text duration_ms height media_key preview_image_url type url variants width"),
        "poll.fields": words("duration_minutes end_datetime id options voting_status"),
        "place.fields": words("contained_within country country_code full_name geo id name place_type"),
    },
    "/2/users/me": {
        "user.fields": USER,
        "tweet.fields": POST,
        "expansions": ["affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"],
    },
    "/2/users/{user}": {"user.fields": USER},
    "/2/users?ids={user}": {"user.fields": USER},
    "/2/users/by?usernames=ana": {"user.fields": USER},
    "/2/users/by/username/ana": {"user.fields": USER},
}
HERE = {
    *("created_at", "id", "name", "protected", "public_metrics", "username", "verified", "verified_type"),
}
"""What users here have of what X documents."""


@pytest.mark.parametrize("path", DOCUMENTED)
async def test_what_x_documents_is_taken_each_and_all_at_once(service: Service, path: str) -> None:
    await service.ok("ana", "POST", "/users", json={"name": "Ana"})
    space_id = (await service.live(title="launch", topic_ids=["rockets"])).rpartition("/")[2]
    user_id = (await service.call("ana", "GET", "/2/users/me")).json()["data"]["id"]
    address = path.format(space=space_id, user=user_id)
    join = "&" if "?" in address else "?"
    asked = [(name, [value]) for name, values in DOCUMENTED[path].items() for value in values]
    for name, values in (*asked, *DOCUMENTED[path].items()):
        answer = await service.call("ana", "GET", f"{address}{join}{name}={','.join(values)}")
        assert answer.status_code == 200, (name, values, answer.text)
        assert "errors" not in answer.json()
    for name in DOCUMENTED[path]:
        refused = await service.call("ana", "GET", f"{address}{join}{name}=no_such_field")
        assert refused.status_code == 400, name
        assert refused.json()["errors"][0]["parameters"] == {name: ["no_such_field"]}
    assert (await service.call("ana", "GET", f"{address}{join}list.fields=id")).status_code == 400


async def test_what_a_user_here_has_not_is_left_out(service: Service) -> None:
    await service.ok("ana", "POST", "/users", json={"name": "Ana"})
    shown = (await service.call("ana", "GET", f"/2/users/me?user.fields={','.join(USER)}")).json()["data"]
    assert shown.keys() == HERE


async def test_posts_go_by_either_word(service: Service) -> None:
    path = await service.live()
    post = await service.ok("ana", "POST", "/posts", json={"text": "hello", "lang": "en"})
    await service.ok("ana", "POST", f"{path}/shared", json={"post_id": post["id"]})
    answers = [
        (await service.call("ben", "GET", f"/2{path}/tweets?{name}=lang,created_at,note_tweet")).json()["data"]
        for name in ("tweet.fields", "post.fields")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0].keys() == {"id", "text", "edit_history_tweet_ids", "lang", "created_at"}
